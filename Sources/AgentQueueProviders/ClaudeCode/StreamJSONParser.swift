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

    /// The line's object. JavaScript writes half a surrogate pair if a text was cut inside one, which no strict reader accepts: such a half
    /// becomes U+FFFD. A line that still cannot be read is skipped, but reported if it was a result, which a caller waits for.
    private static func object(_ line: [UInt8]) -> JSONValue? {
        guard line.first == UInt8(ascii: "{") else { return nil }
        if let value = try? JSONValue.parse(line) { return value }
        if let value = try? JSONValue.parse(withoutHalfPairs(line)) { return value }
        let isResult = line.firstRange(of: Array(#""type":"result""#.utf8)) != nil
        return isResult ? ["type": "result", "subtype": "unreadable", "is_error": true] : nil
    }

    private static func withoutHalfPairs(_ line: [UInt8]) -> [UInt8] {
        var line = line
        var index = 0
        while index + 1 < line.count {
            guard line[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            guard let unit = codeUnit(line, at: index) else {
                index += 2
                continue
            }
            if (0xD800..<0xDC00).contains(unit), let next = codeUnit(line, at: index + 6), (0xDC00..<0xE000).contains(next) {
                index += 12
                continue
            }
            if (0xD800..<0xE000).contains(unit) { line.replaceSubrange(index..<index + 6, with: Array("\\uFFFD".utf8)) }
            index += 6
        }
        return line
    }

    /// The code unit of the escape `\uXXXX` at a place; nil if there is none.
    private static func codeUnit(_ line: [UInt8], at index: Int) -> UInt16? {
        guard index + 6 <= line.count, line[index] == UInt8(ascii: "\\"), line[index + 1] == UInt8(ascii: "u") else { return nil }
        return UInt16(String(decoding: line[index + 2..<index + 6], as: UTF8.self), radix: 16)
    }
}
