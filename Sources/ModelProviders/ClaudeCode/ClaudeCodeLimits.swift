/// How long processes are kept, and how long they are waited for.
struct ClaudeCodeLimits: Sendable {
    /// How many jobs one process answers before another takes its place.
    var maxJobs = 50
    /// How much memory it may hold after a job, in bytes: more, and another takes its place.
    var maxBytes = 600_000_000
    /// How long one without a job is kept, in ms.
    var idleTime: Int64 = 60_000
    /// How long a job's interruption may take, in ms, before its process is ended.
    var patience: Int64 = 1_000
    /// How long forgetting a conversation may take, in ms, before the process is ended.
    var clearTime: Int64 = 5_000
    /// How long a process may take to end by itself, and then after SIGTERM, in ms.
    var exitTime: Int64 = 5_000
}
