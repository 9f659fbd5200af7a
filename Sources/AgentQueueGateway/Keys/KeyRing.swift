import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import HTTPTypes
import Synchronization

/// Finds out who sends a request.
final class KeyRing: Sendable {
    private struct Known {
        var key: AgentQueueStore.APIKey
        var readAt: ContinuousClock.Instant
    }

    private struct State {
        var known: [Int64: Known] = [:]
        var refusals: [IPAddress: TokenBucket] = [:]
    }

    /// How long a key that was read counts as current. A key that any process has revoked is refused after this.
    static let freshness: Duration = .seconds(1)
    /// Wrong keys, of the right form, of one address in a minute.
    static let maxRefusals = 10
    private static let maxKnown = 10_000
    private static let maxAddresses = 10_000

    private let keys: KeyStore
    private let clock: StoreClock
    private let isOpen: Bool
    private let state = Mutex(State())

    /// - Parameter isOpen: whether no key is asked for.
    init(_ store: QueueStore, isOpen: Bool) {
        keys = store.keys
        clock = store.clock
        self.isOpen = isOpen
    }

    /// - Parameters:
    ///   - address: whose wrong keys are counted; nil for none.
    ///   - isTrusted: whether the connection needs no key.
    /// - Throws: `GatewayError` if there is no key or a wrong one, `StoreError`.
    func caller(_ headers: HTTPFields, address: IPAddress?, isTrusted: Bool) throws -> Caller {
        if isOpen || isTrusted { return .local }
        guard let text = Self.sentKey(headers) else {
            throw GatewayError(.invalidKey, "The request has no key: send one of the gateway's keys as Authorization: Bearer or x-api-key.")
        }
        let wrong = GatewayError(.invalidKey, "The key is unknown, revoked or expired: send a valid key of this gateway.")
        // What has not the form of a key is no guess at one, and is not counted: it is a key for another server, or nothing.
        guard let sent = KeyText(text) else { throw wrong }
        // A right key is not held up by the wrong ones of others at the same address.
        if let key = try find(sent) { return Caller(key) }
        throw try refuse(wrong, address)
    }

    /// Records that a key was used, at most once a minute.
    func touch(_ caller: Caller) async throws {
        guard let key = state.withLock({ $0.known[caller.keyID]?.key }) else { return }
        let now = clock.wall()
        guard key.lastUsedAt.map({ now - $0 >= 60_000 }) ?? true else { return }
        state.withLock { $0.known[caller.keyID]?.key.lastUsedAt = now }
        try await keys.touch(key)
    }

    private func find(_ sent: KeyText) throws -> AgentQueueStore.APIKey? {
        let known = state.withLock { $0.known[sent.id] }
        let wasLetIn = known?.key.accepts(secret: sent.secret) ?? false
        if let known, wasLetIn, known.readAt.duration(to: .now) < Self.freshness {
            return known.key.isValid(at: clock.wall()) ? known.key : nil
        }
        let readAt = ContinuousClock.now
        guard let key = try keys.find(sent.id), key.accepts(secret: sent.secret), key.isValid(at: clock.wall()) else {
            if wasLetIn { state.withLock { _ = $0.known.removeValue(forKey: sent.id) } }
            return nil
        }
        state.withLock { state in
            if state.known.count >= Self.maxKnown { state.known = [:] }
            state.known[key.id] = Known(key: key, readAt: readAt)
        }
        return key
    }

    /// Counts a wrong key.
    private func refuse(_ error: GatewayError, _ address: IPAddress?) throws(GatewayError) -> GatewayError {
        guard let address else { return error }
        let now = clock.wall()
        let isSpent = state.withLock { state in
            if state.refusals.count >= Self.maxAddresses {
                state.refusals = state.refusals.filter { $0.value.available(at: now) < Double(Self.maxRefusals) }
                if state.refusals.count >= Self.maxAddresses { state.refusals = [:] }
            }
            return !state.refusals[address, default: TokenBucket(at: now)].take(at: now)
        }
        if isSpent { throw Self.tooMany }
        return error
    }

    private static var tooMany: GatewayError {
        var error = GatewayError(.rateLimited, "There were too many wrong keys from this address: send a valid key in a minute.")
        error.retryAfter = 60_000
        return error
    }

    /// The key of either API's header.
    private static func sentKey(_ headers: HTTPFields) -> String? {
        if let value = headers[.authorization] {
            let parts = value.split(separator: " ", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == "bearer" { return parts[1].filter { $0 != " " } }
        }
        return HTTPField.Name("x-api-key").flatMap { headers[$0] }
    }

    /// Wrong keys that an address may still send.
    private struct TokenBucket {
        private var left = Double(KeyRing.maxRefusals)
        private var countedAt: Int64

        init(at now: Int64) { countedAt = now }

        func available(at now: Int64) -> Double {
            min(Double(KeyRing.maxRefusals), left + Double(max(0, now - countedAt)) * Double(KeyRing.maxRefusals) / 60_000)
        }

        /// - Returns: whether there was one left.
        mutating func take(at now: Int64) -> Bool {
            left = available(at: now)
            countedAt = now
            guard left >= 1 else { return false }
            left -= 1
            return true
        }
    }
}
