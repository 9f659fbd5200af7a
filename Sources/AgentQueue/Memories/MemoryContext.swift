import QueueStore

/// What checking a memory needs to know of the world outside it.
struct MemoryContext: Sendable {
    /// Wall clock, ms: what a time to live counts from.
    var now: Int64
    /// What makes the vectors of texts; nil where `memory.vectors` is off, so that texts are found by their words alone.
    var model: VectorModel?
    /// How long a namespace's memories are kept where they do not say, in ms.
    var retention: @Sendable (_ namespace: String) -> Int64
}
