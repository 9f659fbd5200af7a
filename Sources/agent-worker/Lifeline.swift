import Glibc

/// A pipe that nobody writes to: whoever holds its reading end sees the end of the process that holds the other.
final class Lifeline: Sendable {
    /// It could not be made.
    struct NotMade: Error, CustomStringConvertible {
        var code: Int32

        var description: String { "a pipe cannot be made: \(String(cString: strerror(code)))" }
    }

    /// What children are given as their standard input.
    let readingEnd: Int32
    private let writingEnd: Int32

    /// Makes one. No child inherits its ends by accident: one that held the writing end would not see ours.
    /// - Throws: `NotMade`.
    init() throws(NotMade) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw NotMade(code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (readingEnd, writingEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readingEnd)
        close(writingEnd)
    }
}
