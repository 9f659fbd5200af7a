import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Checks the database: health, jobs and workers.
package enum StoreCheck {
    /// A larger file is not checked here, because it takes long.
    private static let wholeCheckBytes: Int64 = 256 << 20
    private static let longLogBytes: Int64 = 256 << 20

    /// - Parameter unavailable: Why providers cannot be called, by name.
    package static func findings(
        _ store: QueueStore, _ settings: Settings, unavailable: [String: String], now: Int64
    ) throws -> [Finding] {
        let statistics = try store.maintenance.statistics()
        return try writeLock(store) + health(store, statistics) + clock(store, now: now) + queue(statistics, settings)
            + notifications(store)
            + ProvidersCheck.status(statistics.providers, now: now) + workers(store, statistics)
            + MemoryCheck.findings(store, settings, unavailable: unavailable)
    }

    private static func health(_ store: QueueStore, _ statistics: Statistics) throws -> [Finding] {
        var findings: [Finding] = []
        if statistics.walBytes > longLogBytes {
            findings.append(
                .note(
                    "database",
                    "the WAL has grown to \(Figures.bytes(statistics.walBytes)); look for a long-running reader and stop it"))
        }
        guard statistics.databaseBytes <= wholeCheckBytes else {
            return findings + [
                .note("database", "too large to check here (\(Figures.bytes(statistics.databaseBytes))); run 'agent-queue database check'")
            ]
        }
        let report = try store.maintenance.check()
        findings += report.faults.map {
            .fault("database", "\($0); restore a backup ('agent-queue database restore')", .badInput)
        }
        if report.isSound { findings.append(.good("database", "no problems found")) }
        let guarded = report.guardsCheckpoints ? "; checkpoints are guarded against the WAL-reset bug" : ""
        return findings + [.good("sqlite", report.sqliteVersion + guarded)]
    }

    /// How long a step of the clock is worth a word, in ms.
    private static let stepNews: Int64 = 86_400_000

    private static func clock(_ store: QueueStore, now: Int64) throws -> [Finding] {
        let steps = try store.maintenance.clockSteps()
        if let step = steps.unnoticed {
            return [.note("clock", "the system clock \(step.sentence) since a worker last ran; what waits is mended when one starts")]
        }
        guard let step = steps.latest, now - step.at < stepNews else { return [] }
        let effect = step.length < 0 ? "what waited goes on as before" : "waits ended early"
        return [
            .note(
                "clock",
                "the system clock \(step.sentence) \(Figures.relative(step.at, now: now)); \(effect); check the hardware clock and NTP")
        ]
    }

    /// The process that keeps all others from writing, if it is stopped. One that is running lets go in a moment.
    private static func writeLock(_ store: QueueStore) -> [Finding] {
        guard let holder = WriteLockHolder.current(of: store.path), holder.isStopped else { return [] }
        return [
            .fault(
                "database", "\(holder.description) and holds the write lock: nothing can be added or settled; \(holder.remedy)",
                .unavailable)
        ]
    }

    private static func queue(_ statistics: Statistics, _ settings: Settings) -> [Finding] {
        var findings: [Finding] = []
        for queue in statistics.queues where queue.pausedAt != nil {
            let waiting = queue.count(.available) + queue.count(.scheduled) + queue.count(.retryable)
            if waiting > 0 {
                findings.append(
                    .note(
                        "queue \(queue.name)",
                        "is paused with \(Figures.count(waiting, "job")) waiting; run 'agent-queue resume \(queue.name)' to resume it"))
            }
        }
        for total in TargetTotals.of(statistics.lanes) where total.count(.available) + total.count(.retryable) > 0 {
            guard let target = Target(total.target), settings.providers[target.provider] == nil else { continue }
            findings.append(
                .fault(
                    "target \(total.target)",
                    "jobs are waiting for a provider that is not configured; add '\(target.provider)' to the configuration",
                    .badConfiguration))
        }
        if statistics.discardedLastHour > 0 {
            let count = Figures.count(statistics.discardedLastHour)
            findings.append(.note("jobs", "\(count) failed in the last hour; see 'agent-queue list --state failed'"))
        }
        return findings
    }

    private static func notifications(_ store: QueueStore) throws -> [Finding] {
        let failed = try store.notifications.failedCount()
        let failing = try store.schedules.list().filter { $0.lastError != nil }
        let notices: [Finding] =
            failed == 0
            ? []
            : [
                .note(
                    "notifications",
                    "\(Figures.count(failed, "notification")) could not be delivered; see 'agent-queue notifications list --state failed'")
            ]
        return notices
            + failing.map {
                .note("schedule \(DisplayText.line($0.name))", "failed to fire: \(DisplayText.line($0.lastError ?? "", limit: 200))")
            }
    }

    private static func workers(_ store: QueueStore, _ statistics: Statistics) -> [Finding] {
        let alive = statistics.workers.filter(store.maintenance.isRunning)
        let ready = statistics.queues.filter { $0.pausedAt == nil && $0.count(.available) + $0.count(.retryable) > 0 }
        let waiting = ready.reduce(0) { $0 + $1.count(.available) + $1.count(.retryable) }
        if !alive.isEmpty {
            let unserved = ready.filter { queue in !alive.contains { $0.serves(queue: queue.name) } }.map { queue in
                Finding.note(
                    "queue \(queue.name)",
                    "is served by no running worker, with \(Figures.count(queue.count(.available) + queue.count(.retryable), "job")) waiting; "
                        + "start 'agent-worker --queues \(queue.name)'")
            }
            return [.good("workers", "\(alive.count) running, with \(Figures.count(alive.reduce(0) { $0 + $1.running }, "job"))")]
                + unserved
        }
        return [
            waiting > 0
                ? .note("workers", "none running, \(Figures.count(waiting, "job")) waiting; start 'agent-worker'")
                : .good("workers", "none running, none needed")
        ]
    }
}

/// Checks whether the embedding model of each namespace can be called.
package enum MemoryCheck {
    /// - Parameter unavailable: Why providers cannot be called, by name.
    package static func findings(_ store: QueueStore, _ settings: Settings, unavailable: [String: String]) throws -> [Finding] {
        let namespaces = try store.memories.withSnapshot { try $0.namespaces() }
        return namespaces.compactMap { finding(on: $0, settings, unavailable) }
    }

    private static func finding(on namespace: MemoryNamespace, _ settings: Settings, _ unavailable: [String: String]) -> Finding? {
        guard let model = namespace.space?.model, let target = Target(model.target) else { return nil }
        let subject = "memory \(InvalidText.quoted(namespace.name))"
        if let building = namespace.building {
            return .note(
                subject, "is being re-embedded with \(building.model.target); until workers finish, searches use \(target)")
        }
        let remedy = "'agent-queue memory reembed \(namespace.name)' changes that"
        if let reason = unavailable[target.provider] ?? (settings.providers[target.provider] == nil ? "it is not configured" : nil) {
            return .note(
                subject,
                "needs provider \(target.provider) for its model \(target), which cannot be called: \(reason). Words can be searched "
                    + "(--mode words), and \(remedy)")
        }
        guard settings.memory.vectors else { return nil }
        if target != settings.embeddingTarget {
            return .note(
                subject,
                "holds vectors of \(target), and memory.embedding_model is \(settings.embeddingTarget): nothing can be added; \(remedy)")
        }
        let prefix = settings.passagePrefix(of: target.description)
        guard model.passagePrefix != prefix else { return nil }
        return .note(
            subject,
            "was made with the prefix \(InvalidText.quoted(model.passagePrefix)), and the configuration says \(InvalidText.quoted(prefix)): "
                + "nothing can be added; \(remedy)")
    }
}
