import JobModel

/// A call that waits for company: what it holds already.
public struct OpenCall: Sendable, Equatable {
    /// Texts.
    public var inputs: Int
    /// Bytes of the requests together.
    public var bytes: Int

    /// Where it goes; nil is wherever the lane's next jobs do.
    public var route: Target?

    /// Makes one.
    public init(inputs: Int, bytes: Int, route: Target? = nil) {
        self.inputs = inputs
        self.bytes = bytes
        self.route = route
    }
}
