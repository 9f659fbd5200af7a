/// The two parts of a target, `provider/model`.
///
/// The provider is a name from the configuration: letters, digits, `_` and `-`. The model is everything after the first slash, as the
/// provider spells it (`openrouter/meta-llama/llama-3` is model `meta-llama/llama-3`): no spaces, no control characters.
package struct TargetName: Hashable, Sendable, CustomStringConvertible {
    /// The provider's name in the configuration.
    package let provider: String
    /// The model, as the provider spells it.
    package let model: String

    /// The target as it was written, `provider/model`.
    package var description: String { "\(provider)/\(model)" }

    /// Parses a target.
    /// - Throws: `InvalidText` unless it is `provider/model`, at most 200 bytes.
    package init(_ text: String) throws(InvalidText) {
        let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard halves.count == 2, Self.isProviderName(halves[0]), Self.isModelName(halves[1]), text.utf8.count <= 200 else {
            throw InvalidText("\(InvalidText.quoted(text)) is not a target (write provider/model, such as anthropic/claude-sonnet-4-5)")
        }
        provider = halves[0]
        model = halves[1]
    }

    /// Whether a provider may have this name: 1 to 64 letters, digits, `_` and `-`, beginning with a letter or digit.
    package static func isProviderName(_ name: String) -> Bool {
        func isLetterOrDigit(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: false
            }
        }
        guard (1...64).contains(name.utf8.count), let first = name.utf8.first, isLetterOrDigit(first) else { return false }
        return name.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }

    private static func isModelName(_ name: String) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy {
                !$0.properties.isWhitespace && $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
            }
    }
}
