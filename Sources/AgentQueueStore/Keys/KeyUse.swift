import AgentQueueModel

/// What a key has used of its limits.
package struct KeyUse: Sendable, Equatable {
    /// A limit per minute.
    package struct Level: Sendable, Equatable {
        package var limit: Int
        package var remaining: Int
        /// When all of it will be there again (wall clock, in milliseconds).
        package var fullAt: Int64
    }

    package var limits: KeyLimits
    package var requests: Level?
    package var tokens: Level?
    /// How many of its calls are under way.
    package var running: Int
    /// US dollars spent since midnight (UTC).
    package var spentToday: Double
    /// US dollars spent since it has limits.
    package var spent: Double
    /// US dollars set aside for calls under way.
    package var reserved: Double

    init(_ key: QuotaLedger.Key, _ quota: ProviderQuota, now: Int64) {
        limits = key.limits
        func level(_ rate: Rate) -> Level? {
            guard let limit = key.limits.calls[rate], let bucket = quota[rate]?.bucket else { return nil }
            let left = min(limit, max(0, bucket.level(at: now)))
            return Level(
                limit: Int(limit), remaining: Int(left.rounded(.down)), fullAt: now + Int64(((limit - left) / limit * 60_000).rounded(.up)))
        }
        requests = level(.requests)
        tokens = level(.tokens)
        running = quota.running
        spentToday = quota.day >= now / ProviderQuota.dayLength ? quota.spent : 0
        spent = key.spent
        reserved = quota.reserved
    }
}

/// Why a key's budget does not allow a call.
package enum KeyRefusal: Sendable, Equatable {
    /// The call's price is not known.
    case unpriced
    /// Too little is left for the call.
    case spent(String)
}

extension KeyUse {
    /// Returns why the budget does not allow a call; nil if it does, or will once calls under way have ended.
    /// - Parameter name: the key's.
    package func refusal(of job: NewJob, _ policies: CallPolicies, name: String) -> KeyRefusal? {
        guard limits.hasBudget else { return nil }
        let estimate = policies.expected(job.target, job.kind, job.body)
        guard estimate.canBeLimited else { return .unpriced }
        let budgets = [(limits.usdPerDay, spentToday, "a day"), (limits.usdTotal, spent, "in all")]
        for case (let budget?, let spent, let time) in budgets where spent + estimate.worstCost > budget + 1e-9 {
            return .spent(
                """
                The call may cost \(Money.display(estimate.worstCost)), and of the \(Money.display(budget)) \(time) that the key \(name) may \
                spend, \(Money.display(spent)) is spent: wait, or raise the key's limits.
                """)
        }
        return nil
    }
}

extension ReadConnection {
    /// What is stored of a key's use, with its limits applied.
    func quota(of key: QuotaLedger.Key, now: Int64) throws(SQLFailure) -> ProviderQuota {
        let name = ProviderQuota.name(ofKey: key.name)
        var quota = try ProviderQuota.all(self, now: now).first { $0.name == name } ?? ProviderQuota(name: name)
        quota.configure(key.limits.calls, now: now)
        return quota
    }
}

extension WriteTransaction {
    /// Lets a key's limits hold for its queue.
    /// - Throws: `StoreError`; `conflict` if another key's jobs go there too.
    func applyLimits(of key: APIKey) throws {
        let queues = [key.queue, APIKey.batchQueue(key.queue)]
        let others = try statement(
            "SELECT rpm, tpm, concurrency, usd_per_day, usd_total FROM api_keys WHERE id <> ? AND revoked_at IS NULL AND queue = ?"
        ).bind(key.id).bind(key.queue).all { KeyLimits($0, from: 0) }
        guard others.isEmpty || (key.limits.isEmpty && others.allSatisfy(\.isEmpty)) else {
            throw StoreError(
                .conflict,
                "limits hold for all jobs of a queue, and another key's go to '\(key.queue)' too: give the key a queue of its own")
        }
        for queue in queues where queue.utf8.count <= JobLimits.maxNameBytes {
            if !key.limits.isEmpty { try makeQueue(queue) }
            try statement("UPDATE queues SET key_id = ? WHERE name = ?").bind(key.limits.isEmpty ? nil : key.id).bind(queue).run()
        }
    }
}
