/// How vectors are asked for.
enum EmbeddingFormat: String, Sendable {
    /// Little-endian float32 in base64: a quarter of the bytes, and read many times as fast.
    case base64
    /// Lists of numbers, which every server knows.
    case float
}
