/// How far a named bulk input is done, committed with the jobs of its latest slice.
public struct IngestMark: Sendable, Equatable {
    /// The user's name for the input.
    public var name: String
    /// SHA-256 of the whole input.
    public var digest: [UInt8]
    /// The number of the last line of the slice.
    public var linesDone: Int

    /// Makes a mark.
    public init(name: String, digest: [UInt8], linesDone: Int) {
        self.name = name
        self.digest = digest
        self.linesDone = linesDone
    }
}
