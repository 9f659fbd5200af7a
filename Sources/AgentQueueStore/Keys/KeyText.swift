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
        let parts = Substring(text).utf8.split(separator: UInt8(ascii: "-"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("aq".utf8), let id = Int64(Substring(parts[1])), id > 0,
            parts[1].elementsEqual(String(id).utf8), let secret = Self.secret(parts[2])
        else { return nil }
        self.init(id: id, secret: secret)
    }

    /// Reads the 32 bytes of 43 characters of base64url. Every request brings a key, so this is plain arithmetic.
    private static func secret(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count == 43 else { return nil }
        var secret: [UInt8] = []
        secret.reserveCapacity(secretBytes)
        var bits: UInt32 = 0
        var count = 0
        for character in text {
            let value: UInt8
            switch character {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
            case UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "_"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            secret.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            bits &= 1 << UInt32(count) - 1
        }
        // The last character has two bits more than there are to say.
        return bits == 0 ? secret : nil
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
