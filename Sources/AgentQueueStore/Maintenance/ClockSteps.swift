import AgentQueueModel

/// A step of the wall clock.
package struct ClockStep: Sendable, Equatable {
    /// How far it went forward, or back if negative, in ms.
    package var length: Int64
    /// When it was noticed (wall clock, ms).
    package var at: Int64

    /// A clause about the clock: `was set back by 2h`.
    package var sentence: String {
        let seconds = (abs(length) + 500) / 1_000
        return "was set \(length < 0 ? "back" : "forward") by \(DurationText.format(.seconds(seconds)))"
    }

    /// A shorter step is not worth a word, in ms. Steps add up until they are as long.
    package static let shortest: Int64 = 2_000
}

/// Notices in memory when the wall clock is set: it then moves against CLOCK_BOOTTIME, which nobody can set.
package struct ClockWatch: Sendable {
    private var offset: Int64?

    package init() {}

    /// Whether the clock has been set since the last step, and on the first call, as it may have been before.
    package mutating func hasStepped(_ clock: StoreClock) -> Bool {
        let now = clock.wall() - clock.boot()
        guard let offset, abs(now - offset) < ClockStep.shortest else {
            offset = now
            return true
        }
        return false
    }
}

extension MaintenanceStore {
    /// Compares the wall clock with what the file remembers of this boot, and remembers it.
    /// - Returns: the step, if no process has reported it yet.
    package func noteClock() async throws -> ClockStep? {
        let (boot, offset) = (clock.bootNumber, clock.wall() - clock.boot())
        let known = try read { try ClockNote($0) }
        guard known.boot != boot || abs(known.offset - offset) >= ClockStep.shortest else { return nil }
        return try await write { transaction in
            let known = try ClockNote(transaction)
            let step = ClockStep(length: offset - known.offset, at: transaction.now)
            // Another process may have been faster; another boot's clock counts from elsewhere.
            let isNews = known.boot == boot && abs(step.length) >= ClockStep.shortest
            try transaction.setClockNote("clock_boot", boot)
            try transaction.setClockNote("clock_offset", offset)
            guard isNews else { return nil }
            try transaction.setClockNote("clock_step", step.length)
            try transaction.setClockNote("clock_step_at", step.at)
            return step
        }
    }

    /// The latest step of the wall clock that a worker noticed in this boot, and the one since then that none has noticed yet.
    package func clockSteps() throws -> (latest: ClockStep?, unnoticed: ClockStep?) {
        let note = try read { try ClockNote($0) }
        guard note.boot == clock.bootNumber, note.boot != 0 else { return (nil, nil) }
        let now = clock.wall()
        let since = now - clock.boot() - note.offset
        return (note.latest, abs(since) >= ClockStep.shortest ? ClockStep(length: since, at: now) : nil)
    }

    /// Mends what was stored before the wall clock went back: no wait takes longer than it would have taken. Safe to repeat, and in any
    /// number of processes at once, because what it changes is no longer in the future. Times that a user gave stay as they are.
    /// - Returns: how many rows were mended.
    @discardableResult
    package func mendTimes(slice: Int = 500) async throws -> Int {
        var mended = 0
        let retries = try futureRetries()
        for start in stride(from: 0, to: retries.count, by: slice) {
            let ids = retries[start..<min(start + slice, retries.count)]
            mended += try await write { transaction in try ids.reduce(0) { try $0 + transaction.mendRetry(of: $1) } }
        }
        guard try read({ try $0.hasFutureRows(now: clock.wall()) }) else { return mended }
        mended += try await write { transaction in
            try transaction.mendNotifications() + transaction.mendBatches() + transaction.mendCharges() + transaction.mendQuotas()
        }
        return mended
    }

    /// The jobs that wait for a retry since a failure that is still to come.
    private func futureRetries() throws -> [Int64] {
        let now = clock.wall()
        return try read { reader in
            try reader.statement(
                """
                SELECT id FROM jobs INDEXED BY jobs_waiting WHERE state = 'retryable' AND state IN ('scheduled', 'retryable')
                AND scheduled_at > ?1
                AND (attempted_at > ?1 OR EXISTS (SELECT 1 FROM job_errors WHERE job_id = jobs.id AND at > ?1)) ORDER BY scheduled_at
                """
            ).bind(now).all { $0.int64(0) }
        }
    }
}

extension ReadConnection {
    /// Whether anything besides jobs may need mending.
    fileprivate func hasFutureRows(now: Int64) throws(SQLFailure) -> Bool {
        try statement(
            """
            SELECT 1 WHERE EXISTS (SELECT 1 FROM resources WHERE updated_at > ?1 OR day > ?1 / 86400000)
            OR EXISTS (SELECT 1 FROM provider_batches WHERE state <> 'ended' AND (created_at > ?1 OR submitting_at > ?1
                       OR submitted_at > ?1))
            OR EXISTS (SELECT 1 FROM notices WHERE state = 'waiting' AND (created_at > ?1 OR next_at > ?2))
            OR EXISTS (SELECT 1 FROM (SELECT at FROM charges ORDER BY id DESC LIMIT 1) AS latest WHERE at > ?1)
            """
        ).bind(now).bind(now + WriteTransaction.longestNotificationWait).exists()
    }
}

extension WriteTransaction {
    /// The longest wait between two attempts to deliver a notification that does not say when to come again, in ms.
    fileprivate static let longestNotificationWait: Int64 = 3_600_000

    fileprivate func setClockNote(_ name: String, _ value: Int64) throws(SQLFailure) {
        try statement("INSERT INTO counters (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
            .bind(name).bind(value).run()
    }

    /// Moves a retry, and what is on record of the job's attempts, to the clock as it is now. Returns how many jobs were changed.
    fileprivate func mendRetry(of job: Int64) throws(SQLFailure) -> Int {
        let attempted = try statement("SELECT attempted_at FROM jobs WHERE id = ?").bind(job).first { $0.optionalInt64(0) } ?? nil
        let failed = try statement("SELECT at FROM job_errors WHERE job_id = ? ORDER BY at DESC LIMIT 1").bind(job).first { $0.int64(0) }
        let step = max(attempted ?? 0, failed ?? 0) - now
        guard step > 0 else { return 0 }
        try statement(
            """
            UPDATE job_errors SET at = at - ?1, began_at = CASE WHEN began_at > ?3 THEN began_at - ?1 ELSE began_at END
            WHERE job_id = ?2 AND at > ?3
            """
        ).bind(step).bind(job).bind(now).run()
        // Workers wait for the earliest of them.
        ledger.ringWork()
        return try statement(
            """
            UPDATE jobs SET scheduled_at = scheduled_at - ?1,
            attempted_at = CASE WHEN attempted_at > ?3 THEN attempted_at - ?1 ELSE attempted_at END
            WHERE id = ?2 AND +state = 'retryable' AND scheduled_at > ?3
            """
        ).bind(step).bind(job).bind(now).run()
    }

    /// Moves notifications that wait since a time still to come, and bounds the waits of the others. One that is being delivered may be
    /// delivered once more.
    fileprivate func mendNotifications() throws(SQLFailure) -> Int {
        let moved = try statement(
            """
            UPDATE notices SET next_at = next_at - (created_at - ?1), created_at = ?1
            WHERE state = 'waiting' AND next_at > ?1 AND created_at > ?1
            """
        ).bind(now).run()
        let bounded = try statement("UPDATE notices SET next_at = ?1 WHERE state = 'waiting' AND next_at > ?1")
            .bind(now + Self.longestNotificationWait).run()
        if moved + bounded > 0 { ledger.ringWork() }
        return moved + bounded
    }

    /// Moves provider batches that were made, or sent, at a time still to come.
    fileprivate func mendBatches() throws(SQLFailure) -> Int {
        let batches = try statement(
            """
            SELECT id, max(created_at, max(coalesce(submitting_at, 0), coalesce(submitted_at, 0))) FROM provider_batches
            WHERE state <> 'ended'
            """
        ).all { (id: $0.int64(0), latest: $0.int64(1)) }.filter { $0.latest > now }
        for batch in batches {
            try statement(
                """
                UPDATE provider_batches SET due_at = due_at - ?1, unsettled_until = unsettled_until - ?1,
                created_at = CASE WHEN created_at > ?2 THEN created_at - ?1 ELSE created_at END,
                submitting_at = CASE WHEN submitting_at > ?2 THEN submitting_at - ?1 ELSE submitting_at END,
                submitted_at = CASE WHEN submitted_at > ?2 THEN submitted_at - ?1 ELSE submitted_at END WHERE id = ?3
                """
            ).bind(batch.latest - now).bind(now).bind(batch.id).run()
        }
        if !batches.isEmpty { ledger.ringWork() }
        return batches.count
    }

    /// Moves charges that were made at a time still to come: they count today.
    fileprivate func mendCharges() throws(SQLFailure) -> Int {
        var moved = 0
        while true {
            // Ids follow the order of times, but for the steps of the clock.
            let latest = try statement("SELECT id FROM charges WHERE at > ? ORDER BY id DESC LIMIT 500").bind(now).all { $0.int64(0) }
            for id in latest { try statement("UPDATE charges SET at = ? WHERE id = ?").bind(now).bind(id).run() }
            moved += latest.count
            if latest.count < 500 { return moved }
        }
    }

    /// Brings the spend of a day that is still to come into today's, and writes quotas that were written at a time still to come.
    fileprivate func mendQuotas() throws(SQLFailure) -> Int {
        let today = now / ProviderQuota.dayLength
        let spends = try statement(
            """
            SELECT name, (SELECT coalesce(sum(cost_usd), 0.0) FROM charges WHERE at / 86400000 = ?1
                          AND (target = resources.name OR substr(target, 1, instr(target, '/') - 1) = resources.name OR lane_id IN (
                              SELECT lanes.id FROM lanes JOIN queues ON queues.name = lanes.queue JOIN api_keys ON api_keys.id = queues.key_id
                              WHERE 'key:' || api_keys.name = resources.name)))
            FROM resources WHERE day > ?1
            """
        ).bind(today).all { (name: $0.text(0), cost: $0.double(1)) }
        for spend in spends { try withQuota(spend.name) { ($0.day, $0.spent) = (today, spend.cost) } }
        // Reading them is enough: their times are corrected then, and written so.
        let written = try statement("SELECT name FROM resources WHERE updated_at > ?").bind(now).all { $0.text(0) }
        for name in written { try withQuota(name) { _ in } }
        let count = Set(written + spends.map(\.name)).count
        if count > 0 { ledger.ringWork() }
        return count
    }
}

/// What the file remembers of the wall clock: rows of `counters`.
private struct ClockNote {
    /// The boot that ``offset`` belongs to, as a number; 0 if there is none.
    var boot: Int64 = 0
    /// How far the wall clock was ahead of CLOCK_BOOTTIME, in ms.
    var offset: Int64 = 0
    var latest: ClockStep?

    private static let sql: StaticString = "SELECT name, value FROM counters WHERE name LIKE 'clock_%'"

    init(_ reader: ReadConnection) throws(SQLFailure) {
        self.init(try reader.statement(Self.sql).all { ($0.text(0), $0.int64(1)) })
    }

    init(_ transaction: WriteTransaction) throws(SQLFailure) {
        self.init(try transaction.statement(Self.sql).all { ($0.text(0), $0.int64(1)) })
    }

    private init(_ rows: [(name: String, value: Int64)]) {
        let values = Dictionary(rows) { $1 }
        (boot, offset) = (values["clock_boot"] ?? 0, values["clock_offset"] ?? 0)
        if let length = values["clock_step"], let at = values["clock_step_at"] { latest = ClockStep(length: length, at: at) }
    }
}
