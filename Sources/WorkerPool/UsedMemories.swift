import JobModel
import QueueStore

/// What a `generate` job does with memories, and what it was given.
struct UsedMemories: Sendable {
    var use: MemoryUse
    /// The memories that stand in its prompt, the best first.
    var recalled: [(id: Int64, score: Double)] = []
    /// What it was enqueued with; nil where that is not needed.
    var particulars: JobParticulars?

    /// What the job's result says of it, besides the answer.
    var notes: [JSONValue.Member] {
        guard use.recall != nil else { return [] }
        let memories = recalled.map { memory in
            // Four digits tell enough, and are the same however they are worked out.
            JSONValue.object([.init("id", .integer(memory.id)), .init("score", .double((memory.score * 10_000).rounded() / 10_000))])
        }
        return [.init("recalled", .array(memories))]
    }
}
