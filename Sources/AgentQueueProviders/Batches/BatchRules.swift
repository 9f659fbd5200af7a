import AgentQueueDialects
import AgentQueueModel

/// What is checked before a batch is sent, at any provider.
enum BatchRules {
    /// The longest id of an item.
    static let maxItemID = 64
    /// The longest label.
    static let maxLabel = 40
    /// How many pages of a list of batches are read at most. Each has 100.
    static let maxPages = 100

    /// Checks a batch.
    /// - Throws: `ModelFailure` (`permanent`, not sent).
    static func check(_ items: [BatchItem], label: String) throws(ModelFailure) {
        guard let first = items.first else { throw ModelFailure.unsent("a batch needs at least one request") }
        guard isName(label, atMost: maxLabel) else {
            throw ModelFailure.unsent("a batch's label has at most \(maxLabel) letters, digits, '-' and '_'")
        }
        var ids = Set<String>(minimumCapacity: items.count)
        for item in items {
            try check(item)
            guard ids.insert(item.id).inserted else { throw ModelFailure.unsent("two requests of the batch are called '\(item.id)'") }
            guard item.request.target == first.request.target, item.request.kind == first.request.kind else {
                throw ModelFailure.unsent("the requests of a batch need one kind and one target")
            }
        }
    }

    /// Checks the id of one item.
    /// - Throws: `ModelFailure` (`permanent`, not sent).
    static func check(_ item: BatchItem) throws(ModelFailure) {
        guard isName(item.id, atMost: maxItemID) else {
            throw ModelFailure.unsent("a request's name in a batch has at most \(maxItemID) letters, digits, '-' and '_'")
        }
    }

    /// Checks the size of a batch, or of one request in it.
    /// - Throws: `ModelFailure` (`permanent`, not sent).
    static func check(items: Int, bytes: Int, _ capacity: BatchCapacity) throws(ModelFailure) {
        guard items <= capacity.items else {
            throw ModelFailure.unsent("a batch holds at most \(capacity.items) requests or inputs, not \(items)")
        }
        guard bytes <= capacity.bytes else {
            throw ModelFailure.unsent("a batch holds at most \(capacity.bytes) bytes, not \(bytes)")
        }
    }

    /// A client's own request, if a batch takes its form; nil if it is to be translated.
    /// - Throws: `ModelFailure` (`permanent`, not sent) if only its own form says all of it, and the batch is of another. It is called for by
    ///   itself then.
    static func native(_ request: ModelRequest, form: RequestForm) throws(ModelFailure) -> NativeRequest? {
        if let native = request.native(for: form) { return native }
        guard let native = request.native, native.isRequired, native.form != form else { return nil }
        throw ModelFailure.unsent("the request needs the \(native.form.rawValue) form, and the batch is of the \(form.rawValue) form")
    }

    /// A request's bytes as a part of one line.
    static func oneLine(_ bytes: [UInt8]) -> [UInt8] {
        // Inside of strings, JSON has no line breaks.
        bytes.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
    }

    /// Whether a text consists of ASCII letters, digits, `-` and `_`.
    static func isName(_ text: String, atMost limit: Int) -> Bool {
        (1...limit).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// How much of a batch is searched for prompts in a server's words. For a larger one, its words are left out.
    private static let maxCleanedItems = 1_000
    private static let maxCleanedBytes = 4 << 20

    /// The requests to remove from a server's words; nil if there are too many, and its words must not be shown.
    static func bodies(of items: [BatchItem], bytes: Int) -> [JSONValue]? {
        items.count <= maxCleanedItems && bytes <= maxCleanedBytes ? items.map(\.request.body) : nil
    }

    /// A word that may be shown even if the request is not at hand to redact it: a code such as `invalid_request_error`.
    static func code(_ word: String?) -> String? {
        word.flatMap { isName(String($0.filter { $0 != "." }), atMost: 64) ? $0 : nil }
    }
}

/// A server's id for something, as part of an address.
enum RemoteID {
    /// Reads an id; nil if it cannot be printed and used in an address.
    static func read(_ value: JSONValue?) -> String? {
        guard let id = value?.string, isUsable(id) else { return nil }
        return id
    }

    /// Whether an id can be printed and used in an address.
    static func isUsable(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= 256 && id != "." && id != ".." && id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The id as one component of a path or a query.
    static func escaped(_ id: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in id.utf8 {
            if BatchRules.isNameByte(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "~") {
                text.append(byte)
            } else {
                text.append(contentsOf: [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension ModelFailure {
    /// The failure of a request that creates a batch, with whether the batch may exist all the same.
    ///
    /// It does after a good status with a body that cannot be read, and it may after an error of the server, or of a gateway in front of
    /// it. Looking for it is free; sending it twice is not.
    /// - Parameter status: the status of the answer.
    func ofSubmission(status: Int) -> ModelFailure {
        var failure = self
        failure.calls = 0
        failure.isMaybePaid = (200..<300).contains(status) || (status >= 500 && failure.failure != .overloaded)
        return failure
    }
}

extension BatchItemResult {
    /// The outcome; to the message of a failure, what the provider said is added.
    func explained(by redaction: Redaction) -> Outcome {
        guard case .failure(var failure) = outcome, let remark else { return outcome }
        let words = redaction.clean(remark)
        if !words.isEmpty { failure.message = Redaction.line("\(failure.message): \(words)") }
        return .failure(failure)
    }
}
