/// A call that waits for company: what it holds already.
public struct OpenCall: Sendable, Equatable {
    /// Texts.
    public var inputs: Int
    /// Bytes of the requests together.
    public var bytes: Int

    /// Makes one.
    public init(inputs: Int, bytes: Int) {
        self.inputs = inputs
        self.bytes = bytes
    }
}
