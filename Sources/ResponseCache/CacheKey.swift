/// A SHA-256 as four words: kept and compared without an array of its own.
struct CacheKey: Equatable {
    /// What the key is found by; the digest of anything is as good a hash as there is.
    let first: UInt64
    /// What its shard is chosen by.
    let second: UInt64
    private let third: UInt64
    private let fourth: UInt64

    /// Makes a key; nil of anything but 32 bytes, which no request has.
    init?(_ digest: [UInt8]) {
        guard digest.count == 32 else { return nil }
        (first, second, third, fourth) = digest.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }
    }
}
