import AgentQueueModel

/// What is asked of a batch before anything is sent, at whichever provider.
enum BatchRules {
    /// The longest name of an item.
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

    /// Checks one item's name.
    /// - Throws: `ModelFailure` (`permanent`, not sent).
    static func check(_ item: BatchItem) throws(ModelFailure) {
        guard isName(item.id, atMost: maxItemID) else {
            throw ModelFailure.unsent("a request's name in a batch has at most \(maxItemID) letters, digits, '-' and '_'")
        }
    }

    /// Checks how large a batch, or one request of it, is.
    /// - Throws: `ModelFailure` (`permanent`, not sent).
    static func check(items: Int, bytes: Int, _ capacity: BatchCapacity) throws(ModelFailure) {
        guard items <= capacity.items else {
            throw ModelFailure.unsent("a batch holds at most \(capacity.items) requests or inputs, not \(items)")
        }
        guard bytes <= capacity.bytes else {
            throw ModelFailure.unsent("a batch holds at most \(capacity.bytes) bytes, not \(bytes)")
        }
    }

    /// Whether a text holds nothing but ASCII letters, digits, `-` and `_`.
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

    /// The most that is looked through for prompts in what a server says of a batch: beyond these its words are left out.
    private static let maxCleanedItems = 1_000
    private static let maxCleanedBytes = 4 << 20

    /// The requests that a server's words are to be cleaned of; nil where there are too many, and its words are not to be shown.
    static func bodies(of items: [BatchItem], bytes: Int) -> [JSONValue]? {
        items.count <= maxCleanedItems && bytes <= maxCleanedBytes ? items.map(\.request.body) : nil
    }

    /// A word of a server's that may be shown where no request is at hand to clean it of: a code such as `invalid_request_error`.
    static func code(_ word: String?) -> String? {
        word.flatMap { isName(String($0.filter { $0 != "." }), atMost: 64) ? $0 : nil }
    }
}

/// A server's name for something, which becomes a part of an address.
enum RemoteID {
    /// The name that a value holds; nil where it holds none that can be printed and asked for.
    static func read(_ value: JSONValue?) -> String? {
        guard let id = value?.string, isUsable(id) else { return nil }
        return id
    }

    /// Whether a name can be printed and asked for.
    static func isUsable(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= 256 && id != "." && id != ".." && id.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The name as one part of a path, or of a query.
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
    /// The same, of an answer to the request that makes a batch: whether the batch may be there all the same.
    ///
    /// A good status with what cannot be read says that it is, and a server's error, or a gateway's before it, may come when it is
    /// there already. To ask costs nothing, and to send twice does.
    /// - Parameter status: the answer's.
    func ofSubmission(status: Int) -> ModelFailure {
        var failure = self
        failure.calls = 0
        failure.isMaybePaid = (200..<300).contains(status) || (status >= 500 && failure.failure != .overloaded)
        return failure
    }
}

extension BatchItemResult {
    /// The outcome, a failure's sentence with what the provider said behind it.
    func explained(by redaction: Redaction) -> Outcome {
        guard case .failure(var failure) = outcome, let remark else { return outcome }
        let words = redaction.clean(remark)
        if !words.isEmpty { failure.message = Redaction.line("\(failure.message): \(words)") }
        return .failure(failure)
    }
}
