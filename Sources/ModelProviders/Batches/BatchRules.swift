import JobModel
import ModelCalls

/// What is asked of a batch before anything is sent, at whichever provider.
enum BatchRules {
    /// The longest name of an item.
    static let maxItemID = 64
    /// The longest label.
    static let maxLabel = 40

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
