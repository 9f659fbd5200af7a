import AgentQueueModel

/// How long ended jobs and runs are kept, in ms, with the limits for the cache and memories.
package struct PrunePolicy: Sendable, Equatable {
    /// For completed jobs; 0 removes them at once.
    package var completed: Int64
    /// For cancelled jobs; 0 removes them at once.
    package var cancelled: Int64
    /// For jobs that failed or expired; 0 removes them at once.
    package var discarded: Int64
    /// For the gateway's jobs that the cache answered at once; nil keeps them as long as other completed jobs.
    package var cachedCalls: Int64?
    /// The most bytes of cached answers; the least recently used are evicted first. Nil is unlimited.
    package var maxCacheBytes: Int64?
    /// How many unexpired memories are kept.
    package var memories: MemoryPolicy
    /// Whether to return free pages to the file system.
    package var shrinks: Bool

    package init(
        completed: Int64, cancelled: Int64, discarded: Int64, maxCacheBytes: Int64? = nil, memories: MemoryPolicy = MemoryPolicy(),
        shrinks: Bool = true
    ) {
        self.completed = completed
        self.cancelled = cancelled
        self.discarded = discarded
        self.maxCacheBytes = maxCacheBytes
        self.memories = memories
        self.shrinks = shrinks
    }
}

/// What pruning removed, or would remove.
package struct PruneReport: Sendable, Equatable {
    /// Jobs that ended longer ago than the policy allows.
    package var jobs = 0
    /// Runs that ended longer ago than the policy allows; their jobs are not counted in ``jobs``.
    package var runs = 0
    /// Cached answers that had expired or exceeded the cache's limit.
    package var cacheEntries = 0
    /// Memories that had expired or exceeded a cap.
    package var memories = 0
    /// Entries of the audit older than 90 days.
    package var auditEntries = 0
    /// Files of clients that had expired, or never became complete.
    package var files = 0
    /// Batches of clients that ended 30 days ago.
    package var clientBatches = 0
    /// By how many bytes the file has become shorter.
    package var bytesFreed: Int64 = 0

    package init() {}
}

extension MaintenanceStore {
    /// Removes what the policy no longer keeps, in small transactions, so that it can run alongside live workers at any time. On a full
    /// disk the transactions become smaller, until they fit into what is there of the write-ahead log.
    package func prune(_ policy: PrunePolicy, dryRun: Bool = false) async throws -> PruneReport {
        guard !dryRun else { return try prospect(policy) }
        let lengthBefore = try fileLength()
        var report = PruneReport()
        let now = clock.wall()
        var slice = PruneSlice()
        report.runs = try await pruneRuns(policy, &slice)
        for (state, age) in policy.ages {
            var after: (time: Int64, id: Int64) = (Int64.min, 0)
            while true {
                let from = after
                let done = try await write(&slice) { try $0.pruneJobs(state, before: now - age, after: from, slice: $1) }
                report.jobs += done.removed
                guard let last = done.last else { break }
                after = last
            }
        }
        if let age = policy.cachedCalls {
            report.jobs += try await pruneCachedCalls(before: now - age, &slice)
        }
        report.cacheEntries = try await pruneCache(policy, &slice)
        try await whereThereIsRoom(&slice) { [self] in
            report.memories = try await pruneMemories(policy.memories)
            try await compactMemory()
            try await write { try $0.pruneRest() }
        }
        try await prune(&slice) { try $0.pruneNotifications(before: now - policy.completed, slice: $1) }
        try await prune(&slice) { try $0.pruneCharges(before: now - Self.chargesKept, slice: $1) }
        report.auditEntries = try await prune(&slice) { try $0.pruneAudit(before: now - AuditEntry.kept, slice: $1) }
        report.clientBatches = try await pruneClientBatches(before: now - ClientBatchStore.outputLifetime, &slice)
        report.files = try await pruneFiles(before: now, &slice)
        if policy.shrinks {
            try await shrink(&slice)
            report.bytesFreed = max(0, try lengthBefore - fileLength())
        }
        return report
    }

    /// How long the costs of calls are kept, in ms: 90 days.
    private static let chargesKept: Int64 = 90 * 86_400_000

    private func pruneCache(_ policy: PrunePolicy, _ slice: inout PruneSlice) async throws -> Int {
        var removed = try await prune(&slice) { transaction, limit in
            let now = transaction.now
            return try transaction.deleteCacheEntries("expires_at <= ?", limit: limit) { $0.bind(now) }
        }
        while let bound = policy.maxCacheBytes {
            let count = try await write(&slice) { try $0.evictCache(downTo: bound, slice: $1) }
            removed += count
            if count == 0 { break }
        }
        return removed
    }

    // MARK: Slices

    /// Repeats a step that removes at most as many rows as it is given, until it removes fewer. Returns how many it removed.
    @discardableResult
    func prune(
        _ slice: inout PruneSlice, _ step: @escaping @Sendable (WriteTransaction, _ limit: Int) throws -> Int
    ) async throws -> Int {
        var removed = 0
        while true {
            let (count, limit) = try await write(&slice) { (try step($0, $1), $1) }
            removed += count
            if count < limit { return removed }
        }
    }

    /// Runs a step for one slice; on a full disk, again and again for a smaller one.
    func write<Value: Sendable>(
        _ slice: inout PruneSlice, _ step: @escaping @Sendable (WriteTransaction, _ limit: Int) throws -> Value
    ) async throws -> Value {
        while true {
            let limit = slice.limit
            do {
                return try await write { try step($0, limit) }
            } catch let error as StoreError where error.kind == .full && slice.narrow() {
                continue
            }
        }
    }

    /// Runs steps that may need more room in the log than there is. On a full disk they are left to the next time: what frees the most
    /// has been done, and goes on.
    private func whereThereIsRoom(_ slice: inout PruneSlice, _ steps: () async throws -> Void) async throws {
        do { try await steps() } catch let error as StoreError where error.kind == .full { _ = slice.narrow() }
    }

    /// Counts what pruning would remove.
    private func prospect(_ policy: PrunePolicy) throws -> PruneReport {
        let now = clock.wall()
        return try read { reader in
            var report = PruneReport()
            let ended = try reader.statement(
                """
                SELECT count(*) FROM jobs WHERE finalized_at IS NOT NULL AND state = ? AND finalized_at <= ? AND run_id IS NULL
                AND NOT EXISTS (SELECT 1 FROM dependencies CROSS JOIN jobs AS waiting ON waiting.id = dependencies.job_id
                                WHERE depends_on = jobs.id AND waiting.finalized_at IS NULL)
                AND NOT EXISTS (SELECT 1 FROM client_batches
                                WHERE client_batches.batch_id = jobs.batch_id AND client_batches.batch_id IS NOT NULL AND ended_at IS NULL)
                """)
            for (state, age) in policy.ages {
                report.jobs += try ended.bind(state.rawValue).bind(now - age).first { $0.int(0) } ?? 0
            }
            // The most recently used answers that fit within the limit stay.
            report.cacheEntries =
                try reader.statement(
                    """
                    SELECT (SELECT count(*) FROM cache_entries) - (SELECT count(*) FROM (
                        SELECT sum(bytes) OVER (ORDER BY last_used_at DESC, id DESC) AS total FROM cache_entries WHERE expires_at > ?1)
                        AS kept WHERE total <= ?2)
                    """
                ).bind(now).bind(policy.maxCacheBytes ?? .max).first { $0.int(0) } ?? 0
            report.jobs += try Self.excessOfCachedCalls(policy, now: now, reader)
            report.auditEntries =
                try reader.statement("SELECT count(*) FROM audit WHERE at < ?").bind(now - AuditEntry.kept).first { $0.int(0) } ?? 0
            report.files = try Self.excessOfFiles(now: now, reader)
            report.clientBatches = try Self.excessOfClientBatches(before: now - ClientBatchStore.outputLifetime, reader)
            report.runs = try Self.excessOfRuns(policy, now: now, reader)
            report.memories = try MemorySnapshot(reader, now: now).excess(policy.memories)
            return report
        }
    }

    // MARK: The file's length

    /// Returns free pages to the file system, in steps of a few milliseconds. Returns by how many bytes the file has become shorter.
    package func shrink() async throws -> Int64 {
        let before = try fileLength()
        var slice = PruneSlice()
        try await shrink(&slice)
        return max(0, try before - fileLength())
    }

    private func shrink(_ slice: inout PruneSlice) async throws {
        // A checkpoint after each slice cuts the file, so that larger slices fit on a full disk, and keeps the log short.
        var shrunk: Int64 = 0
        repeat {
            shrunk = try await write(&slice) { transaction, pages in
                transaction.wantsCheckpoint = true
                return try transaction.shrink(pages: pages)
            }
            slice.widen()
        } while shrunk > 0
        // Only a checkpoint cuts the file. It waits for readers of an older state: at most for a second here, for the next one cuts too.
        for _ in 0..<Self.checkpointTries {
            try await write { $0.wantsCheckpoint = true }
            if try fileLength() <= read({ try $0.pages() }).count * 4_096 { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static let checkpointTries = 20

    /// The length of the database file in bytes, as `stat` shows it: without what is only in the write-ahead log.
    private func fileLength() throws -> Int64 { try PrivateFile.length(of: store.path) }
}

/// How much a transaction of `prune` does at once.
struct PruneSlice {
    private static let most = 200
    /// The most rows, or pages, of one transaction.
    private(set) var limit = most

    /// Makes slices larger.
    mutating func widen() { limit = min(Self.most, limit * 2) }

    /// Makes slices smaller. Returns false if they cannot be.
    mutating func narrow() -> Bool {
        defer { limit = max(1, limit / 4) }
        return limit > 1
    }
}

extension PrunePolicy {
    fileprivate var ages: [(JobState, Int64)] { [(.completed, completed), (.cancelled, cancelled), (.discarded, discarded)] }
}

extension WriteTransaction {
    /// Removes one slice of the jobs that ended before a time. Jobs of runs are excluded, and jobs that others still depend on are
    /// skipped. `last` is where the next slice continues; nil at the end.
    func pruneJobs(
        _ state: JobState, before: Int64, after: (time: Int64, id: Int64), slice: Int
    ) throws -> (removed: Int, last: (time: Int64, id: Int64)?) {
        let jobs = try statement(
            """
            SELECT id, lane_id, batch_id, finalized_at FROM jobs WHERE finalized_at IS NOT NULL AND state = ?1 AND finalized_at <= ?2
            AND run_id IS NULL AND (finalized_at, id) > (?3, ?4) ORDER BY finalized_at, id LIMIT ?5
            """
        ).bind(state.rawValue).bind(before).bind(after.time).bind(after.id).bind(slice).all {
            (id: $0.int64(0), lane: $0.int64(1), batch: $0.optionalInt64(2), time: $0.int64(3))
        }
        var removed = 0
        for job in jobs {
            if case .changed = try delete(job.id, state, lane: job.lane, batch: job.batch) { removed += 1 }
        }
        return (removed, jobs.count < slice ? nil : jobs.last.map { ($0.time, $0.id) })
    }

    /// Evicts one slice of the least recently used answers while the cache exceeds its limit. Returns how many.
    func evictCache(downTo bound: Int64, slice: Int) throws -> Int {
        let bytes = try statement("SELECT value FROM counters WHERE name = 'cache_bytes'").first { $0.int64(0) } ?? 0
        guard bytes > bound else { return 0 }
        var excess = bytes - bound
        var last: Int64?
        try statement("SELECT id, bytes FROM cache_entries ORDER BY last_used_at, id LIMIT ?").bind(slice).eachRow { row in
            guard excess > 0 else { return }
            excess -= row.int64(1)
            last = row.int64(0)
        }
        guard let last else { return 0 }
        let evicted = try deleteCacheEntries(
            """
            (last_used_at, id) <= (SELECT last_used_at, id FROM cache_entries WHERE id = ?)
            """, limit: slice
        ) { $0.bind(last) }
        ledger.count(.cacheEvictions, by: Int64(evicted))
        return evicted
    }

    /// Removes what is no longer used: batches without jobs after a day, with the subscriptions to them; ingest checkpoints, ended
    /// provider batches, minute counts and provider quotas after 30 days.
    func pruneRest() throws {
        let month: Int64 = 30 * 86_400_000
        try statement("DELETE FROM batches WHERE jobs = 0 AND created_at < ?").bind(now - 86_400_000).run()
        try statement("DELETE FROM watches WHERE kind = 'batch' AND NOT EXISTS (SELECT 1 FROM batches WHERE id = subject_id)").run()
        try statement("DELETE FROM ingests WHERE updated_at < ?").bind(now - month).run()
        try statement("DELETE FROM provider_batches WHERE state = 'ended' AND ended_at < ?").bind(now - month).run()
        try statement("DELETE FROM minutes WHERE minute < ?").bind((now - month) / 60_000).run()
        let today = now / ProviderQuota.dayLength
        for name in try statement("SELECT name FROM resources WHERE day < ? AND spent_usd <> 0").bind(today).all({ $0.text(0) }) {
            // The charges of that day will be pruned.
            try withQuota(name) { if $0.day < today { $0.spend(0, on: today) } }
        }
        // The state of providers that nobody has called for a month.
        try statement("DELETE FROM resources WHERE updated_at < ? AND running = 0").bind(now - month).run()
    }
}
