/// A vector that a search found.
public struct VectorHit: Sendable, Equatable {
    /// Its memory.
    public var memoryID: Int64
    /// Its entry's number.
    public var number: Int64
    /// Its place in the index, valid until that changes.
    public var slot: Int
    /// How near it is, from the exact vectors in 64-bit floats, larger is nearer; bonus included.
    public var score: Double
    /// The same without the bonus.
    public var similarity: Double

    /// Makes one.
    public init(memoryID: Int64, number: Int64, slot: Int, score: Double, similarity: Double) {
        self.memoryID = memoryID
        self.number = number
        self.slot = slot
        self.score = score
        self.similarity = similarity
    }
}
