import QueueStore

/// A memory that may be stored as it is.
struct CheckedMemory: Sendable, Equatable {
    /// With its vector, unless a model is to make that.
    var memory: NewMemory
    /// What made the vector, or is to make it; nil where it has none.
    var model: VectorModel?
    /// Whether the vector is still to be made.
    var needsVector: Bool { model != nil && memory.vector == nil }
}
