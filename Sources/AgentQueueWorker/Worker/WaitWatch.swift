import AgentQueueModel
import AgentQueueStore
import Logging

/// Logs, by name, what the ready jobs of a worker's queues wait for: a provider that it cannot call, a limit, a pause, a breaker. Each is
/// said when it has lasted a few seconds, and then once a minute.
struct WaitWatch {
    private let store: QueueStore
    private let configuration: WorkerConfiguration
    private let providers: Set<String>
    private let logger: Logger
    private var throttles: [String: LogThrottle] = [:]

    /// Seconds between two looks.
    static let interval = 2
    /// A wait that ends sooner is not worth a line, in ms.
    private static let patience: Int64 = 5_000
    /// How often the same is said, in ms.
    private static let silence: Int64 = 60_000

    /// - Parameter providers: the names of the providers that the worker can call.
    init(store: QueueStore, configuration: WorkerConfiguration, providers: Set<String>, logger: Logger) {
        self.store = store
        self.configuration = configuration
        self.providers = providers
        self.logger = logger
    }

    /// Logs what is due.
    /// - Parameters:
    ///   - waits: why lanes that the worker serves are closed.
    ///   - isIdle: whether the worker calls for nothing else: then a limit is what stops it.
    mutating func look(_ waits: LaneWaits, isIdle: Bool) throws {
        guard configuration.only == nil else { return }
        let now = store.clock.wall()
        for lane in try store.claims.unserved(queues: configuration.queues, providers: providers, routes: configuration.policies.routes) {
            guard isDue("provider \(lane.provider)", now) else { continue }
            let reason = configuration.unavailable[lane.provider] ?? "it is not configured here"
            logger.warning(
                "jobs wait for provider '\(lane.provider)', which this worker cannot call",
                metadata: ["provider": "\(lane.provider)", "reason": "\(reason)", "jobs": .stringConvertible(lane.jobs)])
        }
        for wait in waits.lanes.values where now - wait.since >= Self.patience {
            let cause = wait.cause
            // A limit that lets calls through at its pace is no news.
            if cause.kind == .limit, !isIdle { continue }
            guard isDue("\(cause.kind.rawValue) \(cause.name) \(cause.detail)", now) else { continue }
            var metadata: Logger.Metadata = [
                "provider": "\(wait.target.provider)", "target": "\(wait.target)", "waiting_ms": .stringConvertible(now - wait.since),
            ]
            var sentence = cause.sentence
            if cause.kind != .limit, let until = cause.until, until > now {
                sentence += "; trying again in \(DurationText.format(.seconds((until - now + 999) / 1_000)))"
                metadata["again_in_ms"] = .stringConvertible(until - now)
            }
            metadata[cause.kind == .limit ? "limit" : "reason"] = "\(cause.detail)"
            logger.log(
                level: cause.kind == .limit ? .info : .warning, "jobs for \(wait.target) wait: \(sentence)", metadata: metadata)
        }
    }

    private mutating func isDue(_ key: String, _ now: Int64) -> Bool {
        let throttle = throttles[key] ?? LogThrottle(interval: Self.silence)
        throttles[key] = throttle
        return throttle.isDue(at: now)
    }
}
