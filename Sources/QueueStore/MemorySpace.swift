/// The vectors of a namespace that one model made.
public struct MemorySpace: Sendable, Hashable {
    /// Its row.
    public var id: Int64
    /// The namespace's row.
    public var namespaceID: Int64
    /// What made the vectors.
    public var model: VectorModel
    /// How many values each has.
    public var dimension: Int

    /// Makes one.
    public init(id: Int64, namespaceID: Int64, model: VectorModel, dimension: Int) {
        self.id = id
        self.namespaceID = namespaceID
        self.model = model
        self.dimension = dimension
    }
}

extension SQLStatement {
    /// A column that is a dimension. What is none is damage: then it fits no block.
    func dimension(_ column: CInt) -> Int { min(max(int(column), 1), MemoryVector.maxDimension) }
}
