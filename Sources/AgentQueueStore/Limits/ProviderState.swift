import AgentQueueModel

/// How a provider, or one of its targets, stands: what all processes know of it together.
package struct ProviderState: Sendable, Equatable {
    /// A provider's name, or `provider/model`.
    package var name: String
    /// Whether it is a target.
    package var isTarget: Bool
    /// Until when it is not called at all (wall clock, ms); nil if it is.
    package var pausedUntil: Int64?
    /// Why it is paused; `rate_limited` and `overloaded` where it asked to wait. Nil if it is not.
    package var pauseClass: FailureClass?
    /// Why, in a sentence; nil if it is not paused.
    package var pauseReason: String?
    /// Whether one call at a time finds out if it works again.
    package var isOnTrial: Bool
    /// Calls under way, as far as they are counted: those that a limit, a breaker or a fallback concerns.
    package var running: Int
    /// Its limit of calls a minute.
    package var requests: Level?
    /// Its limit of tokens a minute, in and out together.
    package var tokens: Level?
    /// Its limit of tokens a minute, in.
    package var inputTokens: Level?
    /// Its limit of tokens a minute, out.
    package var outputTokens: Level?
    /// Where its breaker stands.
    package var breaker: Breaker
    /// US dollars paid, or maybe paid, since midnight UTC.
    package var spentToday: Double
    /// US dollars set aside for calls under way.
    package var reservedUSD: Double
    /// Its latest failure.
    package var lastError: LastError?

    /// A limit a minute, and what is left of it.
    package struct Level: Sendable, Equatable {
        /// What a minute holds.
        package var capacity: Double
        /// What is left now; below 0 is debt.
        package var level: Double
        /// Whether it was learnt from the provider, by its word or its refusals, and not configured.
        package var isLearnt: Bool
    }

    /// Where a breaker stands.
    package enum Breaker: Sendable, Equatable {
        /// Calls go through.
        case closed
        /// None does before that time (wall clock, ms); then one.
        case open(until: Int64)
        /// One call finds out whether it works again.
        case halfOpen
    }

    /// A failure.
    package struct LastError: Sendable, Equatable {
        /// What kind.
        package var failure: FailureClass
        /// One sentence.
        package var message: String
        /// Wall clock, ms.
        package var at: Int64
    }
}

extension ProviderStore {
    /// How the providers and their targets stand, as far as anything is known of them; by name.
    package func states() throws -> [ProviderState] {
        try read(states)
    }

    func states(_ reader: ReadConnection) throws -> [ProviderState] {
        let now = clock.wall()
        return try ProviderQuota.all(reader).map { ProviderState($0, now: now) }
    }

    /// Ends the pauses of a provider and of its targets, and closes their breakers: a person says that it works.
    /// - Returns: false where nothing is known of such a provider.
    @discardableResult
    package func resume(provider: String) async throws -> Bool {
        try await write { transaction in
            let stored = try transaction.statement("SELECT name FROM resources").all { $0.text(0) }
            let names = Set(stored + transaction.resources.entries.keys).filter { $0 == provider || $0.hasPrefix(provider + "/") }
            let now = transaction.now
            for name in names { try transaction.withQuota(name) { $0.resume(now: now) } }
            transaction.ledger.ringWork()
            return !names.isEmpty
        }
    }
}

extension ProviderState {
    init(_ resource: ProviderQuota, now: Int64) {
        name = resource.name
        isTarget = name.utf8.contains(UInt8(ascii: "/"))
        let pause = resource.pause.flatMap { $0.until > now ? $0 : nil }
        pausedUntil = pause?.until
        pauseClass = pause?.failure
        pauseReason = pause?.reason
        isOnTrial = resource.trial != nil
        running = resource.running
        func level(_ rate: Rate) -> Level? {
            resource[rate].map {
                Level(capacity: $0.bucket.capacity, level: $0.bucket.level(at: now), isLearnt: $0.origin != .configured)
            }
        }
        requests = level(.requests)
        tokens = level(.tokens)
        inputTokens = level(.inputTokens)
        outputTokens = level(.outputTokens)
        breaker =
            switch resource.breaker.state {
            case .closed: .closed
            case .open(let time): .open(until: time)
            case .halfOpen: .halfOpen
            }
        spentToday = resource.day >= now / ProviderQuota.dayLength ? resource.spent : 0
        reservedUSD = resource.reserved
        lastError = resource.fault.map { LastError(failure: $0.failure, message: $0.message, at: $0.at) }
    }
}
