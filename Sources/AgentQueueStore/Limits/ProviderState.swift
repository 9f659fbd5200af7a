import AgentQueueModel

/// The current state of a provider or a target, as all processes know it.
package struct ProviderState: Sendable, Equatable {
    /// `provider` or `provider/model`.
    package var name: String
    /// Whether this is a target, not a provider.
    package var isTarget: Bool
    /// Whether this is a key of the gateway.
    package var isKey = false
    /// When the pause ends (wall clock, in milliseconds); nil if calls are not paused.
    package var pausedUntil: Int64?
    /// Why calls are paused: `rate_limited` and `overloaded` mean that the provider asked to wait. Nil if they are not paused.
    package var pauseClass: FailureClass?
    /// The reason as a sentence; nil if calls are not paused.
    package var pauseReason: String?
    /// Whether it is called one call at a time, until one shows that it works again.
    package var isOnTrial: Bool
    /// How many calls under way are counted, namely those that a limit, a breaker or a fallback concerns.
    package var running: Int
    /// The limit of calls per minute.
    package var requests: Level?
    /// The limit of tokens per minute, input and output together.
    package var tokens: Level?
    /// The limit of input tokens per minute.
    package var inputTokens: Level?
    /// The limit of output tokens per minute.
    package var outputTokens: Level?
    /// The circuit breaker's state.
    package var breaker: Breaker
    /// US dollars that were or may have been paid since midnight UTC.
    package var spentToday: Double
    /// Calls since midnight UTC whose price is unknown.
    package var unpricedToday = 0
    /// US dollars reserved for calls under way.
    package var reservedUSD: Double
    /// The latest failure.
    package var lastError: LastError?

    /// A limit per minute, and what is left of it.
    package struct Level: Sendable, Equatable {
        /// The limit per minute.
        package var capacity: Double
        /// What is left now; negative if more was used.
        package var level: Double
        /// Whether the limit was learned from the provider's headers or refusals instead of configured.
        package var isLearnt: Bool
    }

    /// The state of a circuit breaker.
    package enum Breaker: Sendable, Equatable {
        /// Calls are admitted.
        case closed
        /// No call is admitted before the given time (wall clock, in milliseconds), then one.
        case open(until: Int64)
        /// One call is finding out whether the provider works again.
        case halfOpen
    }

    /// A failed call.
    package struct LastError: Sendable, Equatable {
        /// The kind of failure.
        package var failure: FailureClass
        /// The failure in one sentence.
        package var message: String
        /// Wall clock, in milliseconds.
        package var at: Int64
    }
}

extension ProviderStore {
    /// Returns the state of every provider and target that has one stored, sorted by name.
    package func states() throws -> [ProviderState] {
        try read { try states($0) }
    }

    func states(_ reader: ReadConnection, withKeys: Bool = false) throws -> [ProviderState] {
        let now = clock.wall()
        var unpriced: [String: Int] = [:]
        try reader.statement(
            "SELECT target, sum(unpriced_calls) FROM usage_hours WHERE hour >= ? AND unpriced_calls > 0 GROUP BY target"
        ).bind(now / ProviderQuota.dayLength * 24).eachRow { row in
            for name in Target(row.text(0))?.resourceNames ?? [] { unpriced[name, default: 0] += row.int(1) }
        }
        return try ProviderQuota.all(reader, now: now).filter { withKeys || !$0.isKeys }.map { quota in
            var state = ProviderState(quota, now: now)
            state.unpricedToday = unpriced[state.name] ?? 0
            return state
        }
    }

    /// Ends the pauses of a provider and its targets, and closes their breakers, because a user says that it works again.
    /// - Returns: false if nothing is known of the provider.
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
        isKey = resource.isKeys
        isTarget = name.utf8.contains(UInt8(ascii: "/"))
        let pause = resource.pause.flatMap { $0.until > now ? $0 : nil }
        pausedUntil = pause?.until
        pauseClass = pause?.failure
        // The server's sentence stands inside longer ones.
        pauseReason = (pause?.reason).map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
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
