import QueueStore

/// A memory with its vector.
public struct MemoryRecord: Sendable, Equatable {
    /// The memory.
    public var memory: Memory
    /// Its vector, as it was given; nil where it has none, or that was not asked for.
    public var vector: [Float]?
    /// What made the vector.
    public var model: VectorModel?

    /// Makes one.
    public init(memory: Memory, vector: [Float]? = nil, model: VectorModel? = nil) {
        self.memory = memory
        self.vector = vector
        self.model = model
    }
}
