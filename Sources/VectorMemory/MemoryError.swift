/// Why memories could not be searched: one sentence, with what to do about it.
public struct MemoryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    /// Makes one.
    public init(_ description: String) { self.description = description }
}
