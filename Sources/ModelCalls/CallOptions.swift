/// How a provider is to be called.
public struct CallOptions: Sendable {
    /// How long the call may take, in ms.
    public var timeout: Int64
    /// The same for the same attempt of the same job; for providers that honour one. Empty sends none.
    public var idempotencyKey: String
    /// Told the answer's text piece by piece, in order, as it comes; nil where no one wants it. With it, a provider that can
    /// stream does. Of several requests, it is told of the first.
    public var onText: (@Sendable (String) -> Void)?

    /// Makes options.
    public init(timeout: Int64, idempotencyKey: String = "", onText: (@Sendable (String) -> Void)? = nil) {
        self.timeout = timeout
        self.idempotencyKey = idempotencyKey
        self.onText = onText
    }
}
