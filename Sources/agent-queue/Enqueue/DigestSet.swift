/// Digests that were met, at 8 bytes each: of a million different ones the chance that any two are taken for the same is one in forty
/// million.
struct DigestSet {
    private var prefixes: Set<UInt64> = []

    /// Adds one; false where it was met before.
    mutating func insert(_ digest: [UInt8]) -> Bool {
        prefixes.insert(digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }).inserted
    }
}
