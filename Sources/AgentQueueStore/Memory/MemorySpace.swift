/// The vectors of a namespace that come from one model.
package struct MemorySpace: Sendable, Hashable {
    package var id: Int64
    package var namespaceID: Int64
    package var model: VectorModel
    /// The number of values of each vector.
    package var dimension: Int

    package init(id: Int64, namespaceID: Int64, model: VectorModel, dimension: Int) {
        self.id = id
        self.namespaceID = namespaceID
        self.model = model
        self.dimension = dimension
    }
}

extension Statement {
    /// A column that holds a dimension. An invalid value means damage; it is clamped, and then does not match any block.
    func dimension(_ column: CInt) -> Int { min(max(int(column), 1), MemoryVector.maxDimension) }
}

/// The source of vectors. Vectors of different models or prefixes are not comparable.
package struct VectorModel: Sendable, Hashable {
    /// Stands for the target of vectors that the user supplies. Such a vector is part of a memory's identity.
    package static let brought = "-"

    /// The target, `provider/model`; ``brought`` for vectors that the user supplies.
    package var target: String
    /// The prefix added to a text before it is embedded for storage.
    package var passagePrefix: String

    package init(target: String, passagePrefix: String = "") {
        self.target = target
        self.passagePrefix = passagePrefix
    }
}

/// Vectors of stored memories by a new model, for a space that is being built.
package struct SpaceVectors: Sendable {
    /// A memory's vector.
    package struct Entry: Sendable {
        package var memoryID: Int64
        /// The memory's version when its text was read; the vector of an older text is not stored.
        package var version: Int64
        /// The vector of its text.
        package var vector: MemoryVector

        package init(memoryID: Int64, version: Int64, vector: MemoryVector) {
            self.memoryID = memoryID
            self.version = version
            self.vector = vector
        }
    }

    /// The id of the space to add them to.
    package var space: Int64
    package var entries: [Entry]

    package init(space: Int64, entries: [Entry]) {
        self.space = space
        self.entries = entries
    }
}
