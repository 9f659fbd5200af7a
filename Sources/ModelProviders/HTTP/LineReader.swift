/// Cuts a body that comes in pieces into its lines, which end with LF or CR LF (JSON Lines). Empty ones are passed over.
struct LineReader: Sendable {
    private let maxLineBytes: Int
    /// The line that is not at its end yet.
    private var line: [UInt8] = []

    /// Begins before the body's first byte.
    /// - Parameter maxLineBytes: the longest line that is read.
    init(maxLineBytes: Int) {
        self.maxLineBytes = maxLineBytes
    }

    /// Takes the body's next piece, and returns the lines that it completes.
    /// - Throws: ``HTTPFailure/tooLarge(limit:)``; the body cannot be read on then.
    mutating func feed(_ bytes: [UInt8]) throws(HTTPFailure) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            try take(rest[..<end])
            rest = rest[(end + 1)...]
            if let whole = endLine() { lines.append(whole) }
        }
        try take(rest)
        return lines
    }

    /// Takes the body's end, and returns what stands behind the last line's end: a line whose end was left out, or the beginning of one
    /// whose rest is missing.
    mutating func finish() -> [UInt8]? { endLine() }

    private mutating func take(_ bytes: ArraySlice<UInt8>) throws(HTTPFailure) {
        guard bytes.count <= maxLineBytes - line.count else { throw HTTPFailure.tooLarge(limit: maxLineBytes) }
        line.append(contentsOf: bytes)
    }

    private mutating func endLine() -> [UInt8]? {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line.removeAll() }
        return line.allSatisfy { $0 == UInt8(ascii: " ") } ? nil : line
    }
}
