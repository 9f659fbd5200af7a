import AgentQueueModel

/// Writes server-sent events. No event has an `id` or `retry` field: some SDKs do not expect them.
enum ServerSentEventWriter {
    /// An event, with the blank line that ends it.
    static func event(_ data: JSONValue, name: String? = nil) -> [UInt8] {
        var bytes = head(name)
        bytes += "data: ".utf8
        data.write(to: &bytes, sorted: false)
        bytes += "\n\n".utf8
        return bytes
    }

    /// An event whose data is text. A line feed in it starts another `data` line, which the reader joins again.
    static func event(text: String, name: String? = nil) -> [UInt8] {
        var bytes = head(name)
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            bytes += "data: ".utf8
            bytes += line
            bytes.append(UInt8(ascii: "\n"))
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// A comment, which every reader skips. No blank line follows: to some readers that would be an event without data.
    static let comment = Array(": ping\n".utf8)

    /// The mark that ends OpenAI's streams.
    static let done = Array("data: [DONE]\n\n".utf8)

    private static func head(_ name: String?) -> [UInt8] {
        guard let name else { return [] }
        return Array("event: ".utf8) + Array(name.utf8.filter { $0 != 0x0A && $0 != 0x0D }) + [0x0A]
    }
}

/// A text in pieces that a reader takes at once, each ending where a character does.
struct TextPieces: Sequence, IteratorProtocol {
    static let maxBytes = 16 << 10

    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = Substring(text).utf8
    }

    mutating func next() -> String? {
        guard !rest.isEmpty else { return nil }
        guard var end = rest.index(rest.startIndex, offsetBy: Self.maxBytes, limitedBy: rest.endIndex) else {
            defer { rest = rest[rest.endIndex...] }
            return String(Substring(rest))
        }
        // A byte that goes on with a character begins with the bits 10.
        while end < rest.endIndex, rest[end] & 0xC0 == 0x80 { end = rest.index(before: end) }
        defer { rest = rest[end...] }
        return String(Substring(rest[..<end]))
    }
}
