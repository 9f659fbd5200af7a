import AgentQueueModel

/// Splits a program's output into JSON lines: pure and bounded.
///
/// Only `\n` ends a line: a text may contain U+2028, or a carriage return from a wrapper script. Lines that are not JSON objects are
/// skipped, because programs print banners and warnings.
struct StreamJSONParser: Sendable {
    /// A line is too long.
    struct LineTooLong: Error, Equatable {
        /// The most bytes a line may have.
        var limit: Int
    }

    /// The most bytes a line may have.
    let maxLineBytes: Int
    /// The line that has begun.
    private var line: [UInt8] = []

    /// Makes a parser.
    init(maxLineBytes: Int = 32 << 20) {
        self.maxLineBytes = maxLineBytes
    }

    /// Takes the next bytes.
    /// - Returns: the objects on the lines that they complete, in order.
    /// - Throws: `LineTooLong`, after which nothing more can be read.
    mutating func feed(_ bytes: [UInt8]) throws(LineTooLong) -> [JSONValue] {
        var values: [JSONValue] = []
        var start = 0
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            try append(bytes[start..<end])
            if let value = Self.object(line) { values.append(value) }
            line.removeAll(keepingCapacity: line.capacity <= 1 << 20)
            start = end + 1
        }
        try append(bytes[start...])
        return values
    }

    /// The object on a last line without an end; nil if there is none.
    mutating func finish() -> JSONValue? {
        defer { line = [] }
        return Self.object(line)
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) throws(LineTooLong) {
        guard line.count + bytes.count <= maxLineBytes else { throw LineTooLong(limit: maxLineBytes) }
        line.append(contentsOf: bytes)
    }

    /// The line's object, read leniently: JavaScript writes half a surrogate pair if a text was cut inside one. An object that still cannot
    /// be read is reported as one of the type `unreadable`, since a part of the answer may be lost with it, or, if it was a result, as a
    /// result, which a caller waits for.
    private static func object(_ line: [UInt8]) -> JSONValue? {
        guard line.first == UInt8(ascii: "{") else { return nil }
        if let value = try? JSONValue.parseLeniently(line) { return value }
        let isResult = line.firstRange(of: Array(#""type":"result""#.utf8)) != nil
        return isResult ? ["type": "result", "subtype": "unreadable", "is_error": true] : ["type": "unreadable"]
    }
}
