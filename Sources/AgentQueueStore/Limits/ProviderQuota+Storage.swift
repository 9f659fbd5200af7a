import AgentQueueModel

/// The provider quotas and batch budgets that a transaction uses. Each is loaded on first use and written once, at the end.
struct QuotaLedger {
    /// A row as it was stored (nil if there was none) and as it is now.
    struct Entry {
        var stored: ProviderQuota?
        var current: ProviderQuota
    }

    /// The limit, spending and reservations of a batch.
    struct Budget: Equatable {
        /// US dollars; nil means no limit.
        var limit: Double?
        var spent: Double
        /// US dollars reserved for calls under way.
        var reserved: Double
    }

    /// A key's limits and what it has cost in all.
    struct Key: Equatable {
        var name: String
        var limits: KeyLimits
        /// US dollars.
        var spent: Double
    }

    var entries: [String: Entry] = [:]
    var keys: [Int64: (stored: Key, current: Key)] = [:]
    var budgets: [Int64: (stored: Budget, current: Budget)] = [:]

    /// Writes the rows that have changed.
    func write(to transaction: WriteTransaction) throws(SQLFailure) {
        for entry in entries.values where entry.current != entry.stored ?? ProviderQuota(name: entry.current.name) {
            try entry.current.write(to: transaction)
        }
        for (id, key) in keys where key.current != key.stored {
            try transaction.statement("UPDATE api_keys SET spent_usd = ? WHERE id = ?").bind(key.current.spent).bind(id).run()
        }
        for (batch, budget) in budgets where budget.current != budget.stored {
            try transaction.statement("UPDATE batches SET spent_usd = ?, reserved_usd = ? WHERE id = ?")
                .bind(budget.current.spent).bind(budget.current.reserved).bind(batch).run()
        }
    }
}

extension ProviderQuota {
    /// Reads the row that ``WriteTransaction/withQuota(_:_:)`` selects.
    init(_ row: Statement, name: String) {
        self.init(name: name)
        running = row.int(0)
        waitingSince = row.optionalInt64(1)
        if let until = row.optionalInt64(2) {
            pause = Pause(until: until, failure: FailureClass(rawValue: row.text(3)) ?? .rateLimited, reason: row.text(4))
        }
        pauses = row.int(5)
        parks = row.int(6)
        if let after = row.optionalInt64(7) { trial = Trial(after: after, running: row.int(8)) }
        for rate in Rate.allCases {
            let column = CInt(9 + rate.rawValue)
            self[rate] = row.isNull(column) ? nil : RateLimit(row.text(column))
        }
        minute = (row.int64(13), row.int(14), row.int(15))
        let state: CircuitBreaker.State =
            switch row.text(16) {
            case "open": .open(until: row.int64(17))
            case "half_open": .halfOpen(probe: row.int64(18))
            default: .closed
            }
        breaker = CircuitBreaker(state: state, consecutive: row.int(19), slots: Self.slots(row.text(20)))
        day = row.int64(21)
        spent = row.double(22)
        reserved = row.double(23)
        if !row.isNull(24) {
            fault = Fault(failure: FailureClass(rawValue: row.text(24)) ?? .permanent, message: row.text(25), at: row.int64(26))
        }
        congestion = row.isNull(27) ? nil : CongestionControl(row.text(27))
        // Schema 7 inferred limits that grew too slowly, and knew nothing of how it had come to them.
        if congestion == nil, self[.requests]?.origin == .inferred { self[.requests] = nil }
    }

    /// Returns every stored quota, sorted by name, with its times as they are to be believed now.
    static func all(_ reader: ReadConnection, now: Int64) throws(SQLFailure) -> [ProviderQuota] {
        try reader.statement(
            """
            SELECT running, waiting_since, paused_until, pause_class, pause_reason, pauses, parks, trial_after, trials, requests, tokens,
            input_tokens, output_tokens, minute, minute_calls, last_minute_calls, breaker, breaker_until, breaker_probe,
            breaker_consecutive, breaker_slots, day, spent_usd, reserved_usd, error_class, error_message, error_at, congestion, updated_at, name
            FROM resources ORDER BY name
            """
        ).all { row in
            var quota = ProviderQuota(row, name: row.text(29))
            quota.believeTimes(written: row.int64(28), now: now)
            return quota
        }
    }

    private static func slots(_ text: String) -> [CircuitBreaker.Slot] {
        text.split(separator: " ").compactMap { slot in
            let numbers = slot.split(separator: ":").compactMap { Int64($0) }
            return numbers.count == 3 ? CircuitBreaker.Slot(number: numbers[0], calls: Int(numbers[1]), failures: Int(numbers[2])) : nil
        }
    }

    func write(to transaction: WriteTransaction) throws(SQLFailure) {
        // ON CONFLICT DO UPDATE would take SQLite twice as long.
        let update = try transaction.statement(
            """
            UPDATE resources SET running = ?2, waiting_since = ?3, paused_until = ?4, pause_class = ?5, pause_reason = ?6,
            pauses = ?7, parks = ?8, trial_after = ?9, trials = ?10, requests = ?11, tokens = ?12, input_tokens = ?13,
            output_tokens = ?14, minute = ?15, minute_calls = ?16, last_minute_calls = ?17, breaker = ?18, breaker_until = ?19,
            breaker_probe = ?20, breaker_consecutive = ?21, breaker_slots = ?22, day = ?23, spent_usd = ?24, reserved_usd = ?25,
            error_class = ?26, error_message = ?27, error_at = ?28, updated_at = ?29, congestion = ?30
            WHERE name = ?1
            """)
        if try bind(update, now: transaction.now).run() == 1 { return }
        let insert = try transaction.statement(
            """
            INSERT INTO resources (name, running, waiting_since, paused_until, pause_class, pause_reason, pauses, parks,
            trial_after, trials, requests, tokens, input_tokens, output_tokens, minute, minute_calls, last_minute_calls, breaker,
            breaker_until, breaker_probe, breaker_consecutive, breaker_slots, day, spent_usd, reserved_usd, error_class, error_message,
            error_at, updated_at, congestion)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        try bind(insert, now: transaction.now).run()
    }

    private func bind(_ statement: Statement, now: Int64) -> Statement {
        statement.bind(name).bind(running).bind(waitingSince).bind(pause?.until).bind(pause?.failure.rawValue).bind(pause?.reason)
            .bind(pauses).bind(parks).bind(trial?.after).bind(trial?.running ?? 0)
        for rate in Rate.allCases { statement.bind(self[rate]?.text) }
        statement.bind(minute.number).bind(minute.calls).bind(minute.before)
        switch breaker.state {
        case .closed: statement.bind("closed").bindNull().bindNull()
        case .open(let until): statement.bind("open").bind(until).bindNull()
        case .halfOpen(let probe): statement.bind("half_open").bindNull().bind(probe)
        }
        let slots = breaker.slots.map { "\($0.number):\($0.calls):\($0.failures)" }.joined(separator: " ")
        return statement.bind(breaker.consecutive).bind(slots).bind(day).bind(spent).bind(reserved).bind(fault?.failure.rawValue)
            .bind(fault?.message).bind(fault?.at).bind(now).bind(congestion?.text)
    }
}
