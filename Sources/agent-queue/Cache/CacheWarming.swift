import JobModel
import QueueStore

/// Adds the jobs of a file whose answers the cache does not hold.
actor CacheWarming {
    /// Those that the cache answers.
    private var cached = 0
    /// Those that equal one before them.
    private var repeated = 0
    /// Those that say themselves that their answers are not to be kept.
    private var unkept = 0
    private var digests = DigestSet()
    private let store: QueueStore
    private let receipts: BulkReceipts

    init(_ store: QueueStore, _ receipts: BulkReceipts) {
        self.store = store
        self.receipts = receipts
    }

    /// Takes a slice.
    func take(_ jobs: [NewJob]) async throws {
        var missing: [NewJob] = []
        for (job, foresight) in zip(jobs, try store.foresee(jobs)) {
            if !job.useCache {
                unkept += 1
            } else if foresight == .cached {
                cached += 1
            } else if !digests.insert(job.digest) {
                repeated += 1
            } else {
                missing.append(job)
            }
        }
        guard !missing.isEmpty else { return }
        await receipts.take(try await store.enqueue(missing))
    }

    /// As `--json` prints it.
    func json(enqueued: Int, duplicates: Int) -> JSONValue {
        .object([
            .init("enqueued", .integer(Int64(enqueued))), .init("cached", .integer(Int64(cached))),
            .init("repeated", .integer(Int64(repeated))), .init("unique_key_taken", .integer(Int64(duplicates))),
            .init("no_cache", .integer(Int64(unkept))),
        ])
    }

    /// For people.
    func summary(enqueued: Int, duplicates: Int) -> String {
        var text = "\(enqueued) enqueued, \(cached) cached already, \(repeated) repeated"
        if duplicates > 0 { text += ", \(duplicates) with a unique key that is taken" }
        if unkept > 0 { text += ", \(unkept) passed over that do not use the cache" }
        return text
    }
}
