import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore

/// `enqueue --dry-run`: shows what adding jobs would amount to.
actor DryRun {
    private var forecast = EnqueueForecast()
    private let cost: @Sendable (NewJob) -> Double?
    /// Nil if there is no database yet.
    private let store: QueueStore?

    private init(_ session: Session, _ store: QueueStore?) {
        cost = session.settings.worstCosts()
        self.store = store
    }

    static func run(_ job: NewJob, session: Session) async throws -> EnqueueForecast {
        try await session.withExistingStore { store in
            let run = DryRun(session, store)
            try await run.look(at: [job])
            return await run.forecast
        }
    }

    /// - Parameter ingest: Skip the lines that were added under this name before.
    static func run(_ source: BulkSource, skipsInvalid: Bool, ingest: String?, session: Session) async throws -> EnqueueForecast {
        try await session.withExistingStore { store in
            let named = try ingest.map { name in try store.map { try BulkIngest(name, source.form, in: $0) } ?? BulkIngest(new: name) }
            let file = try await BulkFile.check(source, skipsInvalid: skipsInvalid, ingest: named, session: session)
            let run = DryRun(session, store)
            let start = try named?.linesDone(of: file.survey) ?? 0
            try await file.forEachSlice("Checking cache", after: start) { jobs, _ in try await run.look(at: jobs) }
            return await run.forecast
        }
    }

    private func look(at jobs: [NewJob]) throws {
        if store == nil, let id = jobs.lazy.flatMap(\.after).first {
            throw CommandFailure(.badInput, "job \(id), named by --after, does not exist; nothing added")
        }
        let previews = try store?.jobs.preview(jobs) ?? jobs.map { _ in .call }
        for (job, preview) in zip(jobs, previews) { forecast.add(job, preview, cost: cost(job)) }
    }
}

extension EnqueueForecast {
    /// For people.
    var lines: [String] {
        var sheet = DetailView()
        sheet.add("jobs", Figures.count(jobs))
        if targets.count > 1 { sheet.add("targets", targets.list) }
        sheet.add("cached", Figures.count(cached))
        sheet.add("duplicates", Figures.count(repeated))
        sheet.add("unique key exists", Figures.count(taken))
        sheet.add("calls", Figures.count(calls))
        sheet.add("maximum cost", Figures.money(knownCost, unpriced: unpriced))
        if unpriced > 0 { sheet.add("unknown price", Figures.count(unpriced, "call"), .warning) }
        return sheet.lines
    }
}
