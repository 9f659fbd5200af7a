/// What a job remembers when it completes, in the transaction that completes it.
public struct MemoryWrite: Sendable {
    /// Where.
    public var namespace: String
    /// What made the vectors; nil where no memory has one.
    public var model: VectorModel?
    /// The texts, with their vectors.
    public var memories: [NewMemory]
    /// Those, by their places, that were stored already a moment ago and so come without a vector: they must be there still.
    public var known: Set<Int>

    /// Makes one.
    public init(_ memories: [NewMemory], in namespace: String, model: VectorModel?, known: Set<Int> = []) {
        self.namespace = namespace
        self.model = model
        self.memories = memories
        self.known = known
    }
}
