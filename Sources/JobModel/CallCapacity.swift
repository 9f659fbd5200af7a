/// What one call that several jobs share may hold.
public struct CallCapacity: Sendable, Equatable {
    /// Texts.
    public var inputs: Int
    /// Bytes of the requests together.
    public var bytes: Int

    /// Makes one, of at least one text and one byte.
    public init(inputs: Int, bytes: Int = .max) {
        self.inputs = max(1, inputs)
        self.bytes = max(1, bytes)
    }
}
