/// A namespace of memories, and how it stands.
public struct MemoryNamespace: Sendable, Equatable {
    /// Its row.
    public var id: Int64
    /// Its name, 1 to 128 characters.
    public var name: String
    /// The vectors that are searched; nil before the first.
    public var space: MemorySpace?
    /// The vectors that are being made by another model, to take the place of those; nil at most times.
    public var building: MemorySpace?
    /// How many memories it holds, those included that have expired and are not pruned yet.
    public var memories: Int
    /// Their bytes: texts, metadata and vectors.
    public var bytes: Int64

    /// Makes one.
    public init(id: Int64, name: String, space: MemorySpace?, building: MemorySpace?, memories: Int, bytes: Int64) {
        self.id = id
        self.name = name
        self.space = space
        self.building = building
        self.memories = memories
        self.bytes = bytes
    }
}
