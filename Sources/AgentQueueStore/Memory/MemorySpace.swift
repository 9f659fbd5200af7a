/// The vectors of a namespace that one model made.
package struct MemorySpace: Sendable, Hashable {
    /// Its row.
    package var id: Int64
    /// The namespace's row.
    package var namespaceID: Int64
    /// What made the vectors.
    package var model: VectorModel
    /// How many values each has.
    package var dimension: Int

    /// Makes one.
    package init(id: Int64, namespaceID: Int64, model: VectorModel, dimension: Int) {
        self.id = id
        self.namespaceID = namespaceID
        self.model = model
        self.dimension = dimension
    }
}

extension Statement {
    /// A column that is a dimension. What is none is damage: then it fits no block.
    func dimension(_ column: CInt) -> Int { min(max(int(column), 1), MemoryVector.maxDimension) }
}

/// What makes vectors: those of two models, or of two prefixes, are not compared.
package struct VectorModel: Sendable, Hashable {
    /// What vectors have in place of a target that their user brings. Such a vector is part of what makes two memories the same.
    package static let brought = "-"

    /// The target, `provider/model`; ``brought`` for vectors that the user brings.
    package var target: String
    /// What is put before a text that is remembered.
    package var passagePrefix: String

    /// Makes one.
    package init(target: String, passagePrefix: String = "") {
        self.target = target
        self.passagePrefix = passagePrefix
    }
}

/// Vectors that memories get from another model than before, for a space that is being made.
package struct SpaceVectors: Sendable {
    /// One of them.
    package struct Entry: Sendable {
        /// The memory.
        package var memoryID: Int64
        /// What the memory was when its text was taken: it gets no vector of an older text.
        package var version: Int64
        /// Where its text lies.
        package var vector: MemoryVector

        /// Makes one.
        package init(memoryID: Int64, version: Int64, vector: MemoryVector) {
            self.memoryID = memoryID
            self.version = version
            self.vector = vector
        }
    }

    /// The space that they go to.
    package var space: Int64
    /// The vectors.
    package var entries: [Entry]

    /// Makes them.
    package init(space: Int64, entries: [Entry]) {
        self.space = space
        self.entries = entries
    }
}
