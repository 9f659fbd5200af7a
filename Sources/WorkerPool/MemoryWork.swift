import JobModel
import ModelCalls
import QueueStore

/// What the jobs of a call have to do with memories, by the job.
struct MemoryWork: Sendable {
    /// Those that remember texts.
    var plans: [Int64: MemorizePlan] = [:]
    /// Those that recall memories, or whose answers are remembered.
    var used: [Int64: UsedMemories] = [:]
    /// Vectors that calls have brought, by the cache key of their text: equal texts are called for once.
    let learned = Box<[[UInt8]: MemoryVector]>([:])
}
