/// The exit codes of `agent-queue`: those of sysexits.h, and two of its own.
enum ExitStatus: Int32 {
    case success = 0
    /// A job that was waited for ended discarded or cancelled.
    case jobFailed = 1
    /// A wait ran out of time.
    case timedOut = 2
    case usage = 64
    case badInput = 65
    case unavailable = 69
    case internalError = 70
    case inputOutput = 74
    case noPermission = 77
    case badConfiguration = 78
}
