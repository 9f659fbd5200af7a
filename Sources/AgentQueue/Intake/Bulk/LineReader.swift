import AgentQueueModel
import AgentQueueSettings
import Glibc

/// One pass over an input, in blocks of lines, or of records of CSV.
struct LineReader {
    /// The number of bytes read at a time.
    static let chunkBytes = 1 << 20

    private let input: BulkInput
    /// Whether line breaks between quotes belong to the record (RFC 4180).
    private let isCSV: Bool
    /// Whether the current record of CSV has an open quote.
    private var isQuoted = false
    /// The line breaks between the quotes of the current record.
    private var innerBreaks = 0
    private var offset: Int64 = 0
    /// The beginning of a line that the last block did not complete.
    private var tail: [UInt8] = []
    /// Whether the current line is longer than the limit, so that its bytes are dropped.
    private var isDropping = false
    private var hasher: ContentHasher?
    /// The number of lines so far, including blank ones.
    private(set) var lineCount = 0

    /// Starts at the beginning.
    /// - Parameter hasher: receives everything read.
    init(_ input: BulkInput, isCSV: Bool = false, hasher: ContentHasher? = nil) {
        self.input = input
        self.isCSV = isCSV
        self.hasher = hasher
    }

    var bytesRead: Int64 { offset }

    /// The digest of everything read; nil unless it was requested.
    var digest: ContentDigest? { hasher?.digest }

    /// Fills a block with one or more lines, or with none if there were only blank ones. Returns false at the end.
    mutating func next(_ block: inout LineBlock) throws(InputError) -> Bool {
        block.lines.removeAll(keepingCapacity: true)
        var used = tail.count
        // Releases the memory that an oversized line took.
        if block.bytes.count > 8 * Self.chunkBytes { block.bytes = [] }
        Self.grow(&block.bytes, toHold: used + Self.chunkBytes)
        Self.put(tail, into: &block.bytes)
        tail = []

        while true {
            let isFirst = offset == 0
            let count = try read(into: &block.bytes, at: used)
            guard count > 0 else {
                guard used > 0 || isDropping else { return false }
                end(0..<used, in: &block)
                return true
            }
            let scanned = split(&block, from: used, to: used + count, start: isFirst ? Self.markLength(block.bytes, count) : 0)
            used += count
            if scanned.foundLine {
                if scanned.rest < used { tail = Array(block.bytes[scanned.rest..<used]) }
                return true
            }
            if scanned.rest > 0 {
                // No line has ended, so these bytes can only be the byte order mark.
                block.bytes.removeSubrange(0..<scanned.rest)
                used -= scanned.rest
            }
            if used > JobLimits.maxRequestBytes { isDropping = true }
            if isDropping { used = 0 }
            Self.grow(&block.bytes, toHold: used + Self.chunkBytes)
        }
    }

    private mutating func read(into bytes: inout [UInt8], at used: Int) throws(InputError) -> Int {
        let offset = offset
        let input = input
        var hasher = hasher
        self.hasher = nil
        let result = bytes.withUnsafeMutableBytes { all in
            Result { () throws(InputError) in
                let free = UnsafeMutableRawBufferPointer(rebasing: all[used..<(used + Self.chunkBytes)])
                let count = try input.read(into: free, at: offset)
                hasher?.update(UnsafeRawBufferPointer(rebasing: free[..<count]))
                return count
            }
        }
        self.hasher = hasher
        let count = try result.get()
        self.offset += Int64(count)
        return count
    }

    /// Records the lines that end between `from` and `to`, the first of which begins at `start`. Returns where the unfinished line begins.
    private mutating func split(_ block: inout LineBlock, from: Int, to: Int, start: Int) -> (foundLine: Bool, rest: Int) {
        var start = start
        var position = from
        var found = false
        while position < to, let feed = Self.lineFeed(in: block.bytes, position..<to) {
            if isCSV {
                countQuotes(in: block.bytes, position..<feed)
                position = feed + 1
                guard !isQuoted else {
                    innerBreaks += 1
                    continue
                }
            }
            found = true
            end(start..<feed, in: &block)
            start = feed + 1
            position = start
        }
        if isCSV { countQuotes(in: block.bytes, position..<to) }
        return (found, start)
    }

    /// A quote within quotes is written twice, so their number alone tells whether one is open.
    private mutating func countQuotes(in bytes: [UInt8], _ range: Range<Int>) {
        for index in range where bytes[index] == UInt8(ascii: "\"") { isQuoted.toggle() }
    }

    /// Records a line, unless it is blank.
    private mutating func end(_ range: Range<Int>, in block: inout LineBlock) {
        let number = lineCount + 1
        lineCount = number + innerBreaks
        innerBreaks = 0
        isQuoted = false
        if isDropping {
            isDropping = false
            block.lines.append(.init(number: number, range: 0..<0))
            return
        }
        var end = range.upperBound
        while end > range.lowerBound, isBlank(block.bytes[end - 1]) { end -= 1 }
        guard end > range.lowerBound else { return }
        let isTooLong = end - range.lowerBound > JobLimits.maxRequestBytes
        block.lines.append(.init(number: number, range: isTooLong ? 0..<0 : range.lowerBound..<end))
    }

    /// Spaces at the end of a record of CSV belong to its last field.
    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x0D || !isCSV && (byte == 0x20 || byte == 0x09) }

    private static func markLength(_ bytes: [UInt8], _ count: Int) -> Int {
        count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
    }

    private static func lineFeed(in bytes: [UInt8], _ range: Range<Int>) -> Int? {
        bytes.withUnsafeBytes { all -> Int? in
            guard let base = all.baseAddress, let found = memchr(base + range.lowerBound, 0x0A, range.count) else { return nil }
            return base.distance(to: UnsafeRawPointer(found))
        }
    }

    private static func grow(_ bytes: inout [UInt8], toHold count: Int) {
        guard bytes.count < count else { return }
        let room = max(count, 2 * bytes.count)
        bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
            let kept = bytes.count
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            if let free = buffer.baseAddress { memset(free + kept, 0, room - kept) }
            filled = room
        }
    }

    /// Copies the beginning of a line to the front of the block.
    private static func put(_ tail: [UInt8], into bytes: inout [UInt8]) {
        tail.withUnsafeBytes { tail in bytes.withUnsafeMutableBytes { $0.copyMemory(from: tail) } }
    }
}

/// A section of the input with whole lines and their positions in it. Blank lines are left out.
struct LineBlock: Sendable {
    struct Line: Sendable {
        /// From 1; of a record of CSV, that of its first line.
        var number: Int
        /// In the block's bytes. Empty for a line that is longer than the limit, whose bytes were dropped.
        var range: Range<Int>

        var isTooLong: Bool { range.isEmpty }
    }

    /// May be longer than the part in use.
    var bytes: [UInt8] = []
    var lines: [Line] = []

    static let tooLong = InputError(
        "the line is longer than \(ByteCountText.format(Int64(JobLimits.maxRequestBytes)))", kind: .badData)

    /// Calls a closure with the bytes of a line.
    func withBytes<Result, Failure: Error>(
        of line: Line, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { (all) throws(Failure) in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[line.range])))
        }
    }
}

/// A set of line numbers with one bit for each: a million invalid lines take 125 KB.
struct LineSet: Sendable, Equatable {
    private var words: [UInt64] = []
    private(set) var count = 0

    func contains(_ number: Int) -> Bool {
        let word = number >> 6
        return word < words.count && words[word] & (1 << UInt64(number & 63)) != 0
    }

    mutating func insert(_ number: Int) {
        guard !contains(number) else { return }
        let word = number >> 6
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        words[word] |= 1 << UInt64(number & 63)
        count += 1
    }
}
