import AgentQueueModel

/// Cuts a file into its lines as its pieces come. It holds one line and one piece.
struct LineSplitter: Sendable {
    /// A line without its end; nil bytes for one that is too long.
    typealias Line = (number: Int, bytes: [UInt8]?)

    private let longest: Int
    private var rest: [UInt8] = []
    /// Whether the line that is being read is too long, so that its bytes are dropped.
    private var isDropping = false
    private var number = 1

    /// - Parameter longest: the most bytes of a line.
    init(longest: Int) { self.longest = longest }

    /// Returns the lines that a piece completes. Those with nothing but blanks are counted and left out.
    mutating func feed(_ piece: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            take(piece[start..<end])
            endLine(&lines)
            start = end + 1
        }
        take(piece[start...])
        return lines
    }

    /// Returns the last line, if it has no end.
    mutating func finish() -> [Line] {
        var lines: [Line] = []
        endLine(&lines)
        return lines
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        guard !isDropping else { return }
        guard rest.count + bytes.count <= longest else {
            (rest, isDropping) = ([], true)
            return
        }
        rest += bytes
    }

    private mutating func endLine(_ lines: inout [Line]) {
        if isDropping {
            lines.append((number, nil))
        } else if !rest.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            lines.append((number, rest))
        }
        rest.removeAll(keepingCapacity: rest.count < 65_536)
        isDropping = false
        number += 1
    }
}
