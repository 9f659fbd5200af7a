/// An entry of a block: which memory a vector belongs to, and what a search asks of every one.
///
/// Stored in 48 bytes, little-endian: number, memory, expires, created (Int64 each), importance, scale, error, norm (Float32 each).
public struct MemoryEntry: Sendable, Equatable {
    /// How many bytes it takes.
    public static let byteCount = 48

    /// Its number: larger than that of all that was committed before.
    public var number: Int64
    /// The memory's id.
    public var memoryID: Int64
    /// When the memory is forgotten (wall clock, ms); `Int64.max` is never.
    public var expiresAt: Int64
    /// When the memory was made (wall clock, ms).
    public var createdAt: Int64
    /// How much the memory matters, 0 to 1.
    public var importance: Float
    /// `MemoryVector.scale`.
    public var scale: Float
    /// `MemoryVector.error`.
    public var error: Float
    /// `MemoryVector.norm`.
    public var norm: Float

    /// Makes one.
    public init(
        number: Int64, memoryID: Int64, expiresAt: Int64, createdAt: Int64, importance: Float, scale: Float, error: Float, norm: Float
    ) {
        self.number = number
        self.memoryID = memoryID
        self.expiresAt = expiresAt
        self.createdAt = createdAt
        self.importance = importance
        self.scale = scale
        self.error = error
        self.norm = norm
    }
}
