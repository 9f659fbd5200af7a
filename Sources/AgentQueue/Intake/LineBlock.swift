import JobModel
import Settings

/// A stretch of input: whole lines, and where they lie in it. Blank lines are left out.
struct LineBlock: Sendable {
    /// One line.
    struct Line: Sendable {
        /// From 1.
        var number: Int
        /// In the block's bytes; empty for a line that is longer than any may be, and was not kept.
        var range: Range<Int>

        var isTooLong: Bool { range.isEmpty }
    }

    /// At least as long as what is in use.
    var bytes: [UInt8] = []
    var lines: [Line] = []

    static let tooLong = InputError(
        "the line is longer than \(ByteCountText.format(Int64(JobLimits.maxRequestBytes)))", exit: .badData)

    /// Lends a line's bytes.
    func withBytes<Result, Failure: Error>(
        of line: Line, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try bytes.withUnsafeBufferPointer { (all) throws(Failure) in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[line.range])))
        }
    }
}
