import QueueStore
import Settings

/// Finds a cached answer by what a person has of its digest.
enum CacheLookup {
    /// - Throws: `CommandFailure` where there is none, or more than one.
    static func entry(_ digest: String, in store: QueueStore) throws -> CacheEntrySummary {
        let name = InvalidText.quoted(digest)
        guard !digest.isEmpty, digest.utf8.count <= 64, digest.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw CommandFailure(.usage, "\(name) is not a digest (up to 64 hexadecimal digits)")
        }
        let entries = try store.cacheEntries(digestPrefix: digest)
        guard let entry = entries.first else { throw CommandFailure(.badInput, "no cached answer has the digest \(name)") }
        guard entries.count == 1 else {
            throw CommandFailure(.usage, "several cached answers have digests that begin with \(name); give more of it")
        }
        return entry
    }
}
