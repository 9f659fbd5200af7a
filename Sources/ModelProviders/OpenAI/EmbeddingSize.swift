import JobModel
import ModelCalls

/// How large inputs of an embeddings call are together.
struct EmbeddingSize: Sendable, Equatable {
    /// How many.
    var inputs = 0
    /// Their tokens, as far as that can be told from their texts.
    var tokens = 0
    /// Their bytes, as JSON.
    var bytes = 0

    /// Half of what English texts have, and about what Chinese ones do: a call that is too large fails all that share it, while one
    /// call more costs nothing.
    private static let bytesPerToken = 2

    /// None.
    init() {}

    /// An input's: a text, or a text's tokens.
    init(_ input: JSONValue) {
        inputs = 1
        switch input {
        case .string(let text):
            tokens = text.utf8.count / Self.bytesPerToken + 1
            bytes = text.utf8.count + 3
        case .array(let list):
            tokens = list.count
            bytes = input.utf8(sorted: false).count + 1
        default: bytes = input.utf8(sorted: false).count + 1
        }
    }

    /// Both together.
    static func + (one: EmbeddingSize, other: EmbeddingSize) -> EmbeddingSize {
        var sum = one
        sum.inputs += other.inputs
        sum.tokens += other.tokens
        sum.bytes += other.bytes
        return sum
    }

    /// Whether one call may hold it.
    func fits(_ limits: ProviderCapabilities) -> Bool {
        inputs <= max(1, limits.maxEmbedInputs) && tokens <= limits.maxEmbedTokens ?? .max && bytes <= limits.maxEmbedBytes
    }

    /// The first of some inputs, as many as one call may hold, and one at least.
    static func prefix(of inputs: ArraySlice<JSONValue>, _ limits: ProviderCapabilities) -> (count: Int, size: EmbeddingSize) {
        var size = EmbeddingSize()
        for input in inputs {
            let larger = size + EmbeddingSize(input)
            guard size.inputs == 0 || larger.fits(limits) else { break }
            size = larger
        }
        return (size.inputs, size)
    }
}
