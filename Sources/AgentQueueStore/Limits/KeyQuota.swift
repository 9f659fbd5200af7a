import AgentQueueModel

/// Limits on a key of the gateway, for all processes together. Nil means no limit.
package struct KeyLimits: Sendable, Equatable {
    /// How many calls may begin in a minute.
    package var requestsPerMinute: Int?
    /// Input and output tokens in a minute, together.
    package var tokensPerMinute: Int?
    /// How many calls may be under way at once.
    package var concurrency: Int?
    /// US dollars in a day (UTC).
    package var usdPerDay: Double?
    /// US dollars in all, counted since the key has limits.
    package var usdTotal: Double?

    package init() {}

    package var isEmpty: Bool { self == KeyLimits() }

    package var hasBudget: Bool { usdPerDay != nil || usdTotal != nil }

    /// Those that providers have too.
    var calls: CallLimits {
        CallLimits(
            requestsPerMinute: requestsPerMinute, tokensPerMinute: tokensPerMinute, concurrency: concurrency, usdPerDay: usdPerDay)
    }

    /// Reads `rpm, tpm, concurrency, usd_per_day, usd_total`.
    init(_ row: Statement, from column: CInt) {
        requestsPerMinute = row.optionalInt64(column).map { Int(clamping: $0) }
        tokensPerMinute = row.optionalInt64(column + 1).map { Int(clamping: $0) }
        concurrency = row.optionalInt64(column + 2).map { Int(clamping: $0) }
        usdPerDay = row.optionalDouble(column + 3)
        usdTotal = row.optionalDouble(column + 4)
    }

    func bind(to statement: Statement) -> Statement {
        statement.bind(requestsPerMinute.map(Int64.init)).bind(tokensPerMinute.map(Int64.init)).bind(concurrency.map(Int64.init))
            .bind(usdPerDay).bind(usdTotal)
    }
}

extension ProviderQuota {
    /// The name of the row that counts a key's use. No provider's name has a colon.
    static func name(ofKey name: String) -> String { "key:\(name)" }

    /// Whether it counts the use of a key.
    var isKeys: Bool { name.hasPrefix("key:") }

    /// Returns whether calls of a key may begin. A key is never at fault: only its limits count.
    /// - Parameter estimate: the expected use of one call; if nil, token and money limits are not checked.
    func gate(_ key: QuotaLedger.Key, estimate: CallEstimate?, now: Int64) -> Admission {
        let gate = gate(key.limits.calls, estimate: estimate, now: now)
        guard let estimate, let total = key.limits.usdTotal else { return gate }
        return gate.and(admission(of: estimate, total: total, spent: key.spent))
    }

    private func admission(of estimate: CallEstimate, total: Double, spent: Double) -> Admission {
        guard estimate.canBeLimited else {
            return .never(
                "the call's price is unknown, and '\(name)' may cost \(Money.display(total)) in all (usd_total); set the model's price")
        }
        let tolerance = 1e-9
        guard spent + estimate.worstCost <= total + tolerance else {
            return .never(
                """
                the call may cost \(Money.display(estimate.worstCost)), and of the \(Money.display(total)) that '\(name)' may cost in all \
                (usd_total) \(Money.display(spent)) is spent
                """)
        }
        guard spent + reserved + estimate.worstCost <= total + tolerance else {
            return .closed(
                Admission.Closure(
                    until: nil, isFault: false, waitingSince: waitingSince,
                    cause: WaitCause(kind: .limit, name: name, detail: "\(Money.display(total)) in all", until: nil)))
        }
        return .open(count: 1, isProbe: false)
    }
}

extension WriteTransaction {
    /// Reads and changes a key's limits and cost in memory.
    @discardableResult
    func withKey<T>(_ id: Int64, _ body: (inout QuotaLedger.Key) -> T) throws(SQLFailure) -> T {
        var key: (stored: QuotaLedger.Key, current: QuotaLedger.Key)
        if let known = resources.keys[id] {
            key = known
        } else {
            let stored = try statement(QuotaLedger.Key.byID).bind(id).first { QuotaLedger.Key($0) }
            // A row is never deleted.
            let found = stored ?? QuotaLedger.Key(name: "\(id)", limits: KeyLimits(), spent: 0)
            key = (found, found)
        }
        let value = body(&key.current)
        resources.keys[id] = key
        return value
    }

    @discardableResult
    func withQuota<T>(ofKey id: Int64, _ body: (inout ProviderQuota) -> T) throws(SQLFailure) -> T {
        try withQuota(ProviderQuota.name(ofKey: withKey(id) { $0.name }), body)
    }

    /// Returns whether a key's limits admit calls. If they are closed until a call ends, that end wakes the workers.
    func gate(key id: Int64, estimate: CallEstimate?) throws(SQLFailure) -> Admission {
        let now = now
        let key = try withKey(id) { $0 }
        return try withQuota(ofKey: id) { quota in
            quota.configure(key.limits.calls, now: now)
            let gate = quota.gate(key, estimate: estimate, now: now)
            if case .closed(let closure) = gate, closure.until == nil || (key.limits.hasBudget && quota.reserved > 0) {
                quota.waitingSince = quota.waitingSince ?? now
            }
            return gate
        }
    }

    /// Returns whether calls of a key must be admitted one by one.
    func needsEstimate(key id: Int64?) throws(SQLFailure) -> Bool {
        guard let id else { return false }
        let limits = try withKey(id) { $0.limits }
        return limits.hasBudget || limits.tokensPerMinute != nil
    }

    /// Returns whether a call's expected tokens fit into a full minute's limits of its key.
    func fits(_ estimate: CallEstimate, key id: Int64?) throws(SQLFailure) -> Bool {
        guard let id else { return true }
        let limits = try withKey(id) { $0.limits.calls }
        return try withQuota(ofKey: id) { $0.fits(estimate, limits) }
    }

    /// Counts money that a key has spent.
    func spend(_ cost: Double, on day: Int64, ofKey id: Int64) throws(SQLFailure) {
        try withKey(id) { $0.spent += cost }
        try withQuota(ofKey: id) { quota in
            // What a day before cost is known better now, but that day is over.
            if quota.day <= day { quota.spend(cost, on: day) }
        }
    }

    /// The key whose limits hold for a lane's jobs.
    func key(ofLane lane: Int64) throws(SQLFailure) -> Int64? {
        try statement("SELECT key_id FROM lanes JOIN queues ON queues.name = lanes.queue WHERE lanes.id = ?").bind(lane).first {
            $0.optionalInt64(0)
        } ?? nil
    }
}

extension QuotaLedger.Key {
    static let byID = SQLText("SELECT name, rpm, tpm, concurrency, usd_per_day, usd_total, spent_usd FROM api_keys WHERE id = ?")

    init(_ row: Statement) { self.init(name: row.text(0), limits: KeyLimits(row, from: 1), spent: row.double(6)) }
}
