import Crypto

/// The `custom_id`s of a batch as they are read, in 16 bytes each, however long they are.
package struct BatchRequestIDs: Sendable {
    private struct Digest: Hashable {
        var high: UInt64
        var low: UInt64
    }

    private var seen: Set<Digest> = []

    package init() {}

    /// Returns false if the id was there before. (Of two ids with the same first half of SHA-256 the second would be refused.)
    package mutating func insert(_ id: String) -> Bool {
        let digest = SHA256.hash(data: Array(id.utf8)).withUnsafeBytes { bytes in
            Digest(high: bytes.loadUnaligned(as: UInt64.self), low: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        return seen.insert(digest).inserted
    }
}
