/// What makes vectors: those of two models, or of two prefixes, are not compared.
public struct VectorModel: Sendable, Hashable {
    /// The target, `provider/model`; `-` for vectors that the user brings.
    public var target: String
    /// What is put before a text that is remembered.
    public var passagePrefix: String

    /// Makes one.
    public init(target: String, passagePrefix: String = "") {
        self.target = target
        self.passagePrefix = passagePrefix
    }
}
