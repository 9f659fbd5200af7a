/// Vectors that memories get from another model than before, for a space that is being made.
public struct SpaceVectors: Sendable {
    /// One of them.
    public struct Entry: Sendable {
        /// The memory.
        public var memoryID: Int64
        /// What the memory was when its text was taken: it gets no vector of an older text.
        public var version: Int64
        /// Where its text lies.
        public var vector: MemoryVector

        /// Makes one.
        public init(memoryID: Int64, version: Int64, vector: MemoryVector) {
            self.memoryID = memoryID
            self.version = version
            self.vector = vector
        }
    }

    /// The space that they go to.
    public var space: Int64
    /// The vectors.
    public var entries: [Entry]

    /// Makes them.
    public init(space: Int64, entries: [Entry]) {
        self.space = space
        self.entries = entries
    }
}
