import GRDB
import JobModel
import Resilience

extension QueueStore {
    /// How the providers and their targets stand, as far as anything is known of them; by name.
    public func providerStates() throws -> [ProviderState] {
        try read(providerStates)
    }

    func providerStates(_ database: Database) throws -> [ProviderState] {
        let now = clock.wall()
        return try Resource.fetchAll(database).map { ProviderState($0, now: now) }
    }

    /// Ends the pauses of a provider and of its targets, and closes their breakers: a person says that it works.
    /// - Returns: false where nothing is known of such a provider.
    @discardableResult
    public func resume(provider: String) async throws -> Bool {
        try await write { transaction in
            let stored = try transaction.statement("SELECT name FROM resources").all { $0.text(0) }
            let names = Set(stored + transaction.resources.entries.keys).filter { $0 == provider || $0.hasPrefix(provider + "/") }
            let now = transaction.now
            for name in names { try transaction.withResource(name) { $0.resume(now: now) } }
            transaction.ledger.ringWork()
            return !names.isEmpty
        }
    }
}

extension ProviderState {
    init(_ resource: Resource, now: Int64) {
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
        spentToday = resource.day >= now / Resource.dayLength ? resource.spent : 0
        reservedUSD = resource.reserved
        lastError = resource.fault.map { LastError(failure: $0.failure, message: $0.message, at: $0.at) }
    }
}
