/// What makes vectors: those of two models, or of two prefixes, are not compared.
public struct VectorModel: Sendable, Hashable {
    /// What vectors have in place of a target that their user brings. Such a vector is part of what makes two memories the same.
    public static let brought = "-"

    /// The target, `provider/model`; ``brought`` for vectors that the user brings.
    public var target: String
    /// What is put before a text that is remembered.
    public var passagePrefix: String

    /// Makes one.
    public init(target: String, passagePrefix: String = "") {
        self.target = target
        self.passagePrefix = passagePrefix
    }
}
