/// `provider/model`: what a job is sent to. The provider is a name from the configuration; the model may hold slashes.
public struct Target: Sendable, Hashable, CustomStringConvertible {
    /// The configured provider's name.
    public let provider: String
    /// The model's name at that provider.
    public let model: String

    /// The longest target accepted, in bytes.
    public static let maxBytes = 256

    /// Reads `provider/model`; nil where a part is missing, too long, or holds blanks or control characters.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.maxBytes, let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let provider = text[..<slash]
        let model = text[text.utf8.index(after: slash)...]
        guard !provider.isEmpty, !model.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        self.provider = String(provider)
        self.model = String(model)
    }

    /// Makes a target of its parts.
    public init(provider: String, model: String) {
        self.provider = provider
        self.model = model
    }

    /// `provider/model`, as it was read.
    public var description: String { "\(provider)/\(model)" }
}
