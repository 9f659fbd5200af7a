import FoundationEssentials

/// A key as clients send it: `aq-17-` and the secret in base64url, 43 characters.
package struct KeyText: Sendable, Equatable {
    /// The number of the key in the store.
    package let id: Int64
    /// 32 bytes.
    package let secret: [UInt8]

    package static let secretBytes = 32

    package init(id: Int64, secret: [UInt8]) {
        self.id = id
        self.secret = secret
    }

    /// Nil if the text is not a key: only the one way of writing it is taken.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= 80 else { return nil }
        let parts = text.split(separator: "-", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "aq", let id = Int64(parts[1]), id > 0, parts[2].utf8.count == 43 else { return nil }
        let standard = String(parts[2]).replacing("-", with: "+").replacing("_", with: "/")
        guard let secret = Data(base64Encoded: standard + "="), secret.count == Self.secretBytes else { return nil }
        self.init(id: id, secret: Array(secret))
        guard self.text == text else { return nil }
    }

    /// What the client sends. It is shown once and never stored.
    package var text: String {
        let standard = Data(secret).base64EncodedString().prefix(43)
        return "aq-\(id)-\(standard.replacing("+", with: "-").replacing("/", with: "_"))"
    }

    /// A new secret.
    package static func randomSecret(using generator: inout some RandomNumberGenerator) -> [UInt8] {
        (0..<secretBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
