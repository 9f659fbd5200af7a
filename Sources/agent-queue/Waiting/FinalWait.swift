import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore

/// Waits for jobs to finish. Woken when jobs finish, instead of polling.
struct FinalWait {
    let ids: [Int64]
    /// Nil waits forever.
    let timeout: Duration?
    let session: Session
    /// Whether this process runs the jobs itself.
    var runsHere = false

    /// Jobs to check at a time. Old jobs tend to finish first, so each check covers the oldest unfinished ones, at a cost that does not
    /// depend on their total number.
    private static let window = 500

    /// - Throws: `CommandFailure` if a job does not exist, or on timeout.
    func run(in store: QueueStore) async throws {
        try await Deadline.run(timeout) {
            try await wait(in: store)
        } expired: { duration in
            let sentence =
                ids.count == 1
                ? "timed out after \(duration): job \(ids[0]) has not finished"
                : "timed out after \(duration): not all \(Figures.count(ids.count)) jobs have finished"
            return CommandFailure(.timedOut, sentence)
        }
    }

    private func wait(in store: QueueStore) async throws {
        var open = try await openAtFirst(in: store)[...]
        guard !open.isEmpty else { return }
        var hints = WaitHints(session, store)
        hints.runsHere = runsHere
        var bar = ProgressBar(ids.count == 1 ? "Waiting for job \(ids[0])" : "Waiting")
        defer { bar.clear() }
        for await _ in store.changes(of: .done) {
            while !open.isEmpty {
                let look = open.prefix(Self.window)
                let states = try store.jobs.states(of: Array(look))
                // A missing job was deleted during the wait.
                let left = look.filter { states[$0].map { !$0.isFinal } ?? false }
                open = left + open.dropFirst(look.count)
                if !left.isEmpty { break }
            }
            if open.isEmpty { return }
            try await hints.say({ bar.clear() }, about: { try open.prefix(WaitHints.maxJobs).compactMap { try store.jobs.get($0) } })
            bar.update(ids.count - open.count, of: ids.count)
        }
    }

    private func openAtFirst(in store: QueueStore) async throws -> [Int64] {
        var open: [Int64] = []
        for start in stride(from: 0, to: ids.count, by: Self.window) {
            let part = Array(ids[start..<min(start + Self.window, ids.count)])
            let states = try store.jobs.states(of: part)
            for id in part {
                guard let state = states[id] else { throw JobFailure.notFound(id) }
                if !state.isFinal { open.append(id) }
            }
        }
        return open
    }
}

/// Waits for all jobs of a batch. Uses the counts that the batch keeps, so its size does not matter.
struct BatchWait {
    let name: String
    let timeout: Duration?
    let session: Session

    func run(in store: QueueStore, json: Bool) async throws {
        try await Deadline.run(timeout) {
            try await wait(in: store)
        } expired: { duration in
            CommandFailure(.timedOut, "timed out after \(duration): batch '\(name)' has unfinished jobs")
        }
        try report(try await progress(store), json: json)
    }

    private func progress(_ store: QueueStore) async throws -> BatchProgress {
        guard let progress = try store.jobs.batch(named: name) else {
            throw BatchName.notFound(name)
        }
        return progress
    }

    private func wait(in store: QueueStore) async throws {
        var bar = ProgressBar("Waiting")
        defer { bar.clear() }
        var hints = WaitHints(session, store)
        var doneBefore = 0
        for await _ in store.changes(of: .done) {
            let progress = try await progress(store)
            if progress.isDone { return }
            let done = progress.completed + progress.cancelled + progress.discarded
            // Nothing holds up a batch whose jobs end.
            let goesOn = doneBefore != done && doneBefore > 0
            try await hints.say(
                { bar.clear() },
                about: {
                    defer { doneBefore = done }
                    return goesOn ? [] : try unfinished(store)
                })
            bar.update(done, of: progress.jobs)
        }
    }

    /// Some jobs of the batch that have not finished; if one runs, that one, as it shows that the batch goes on.
    private func unfinished(_ store: QueueStore) throws -> [Job] {
        let running = try store.jobs.list(JobFilter(states: [.running], batch: name), limit: 1)
        guard running.isEmpty else { return running }
        let waiting: [JobState] = [.available, .retryable, .scheduled, .pending]
        return try store.jobs.list(JobFilter(states: waiting, batch: name), limit: WaitHints.maxJobs)
    }

    private func report(_ progress: BatchProgress, json: Bool) throws {
        var output = Output()
        if json {
            try output.json(JobJSON.batch(name, progress))
        } else {
            var table = Table([
                Column("BATCH"), Column("JOBS", isNumber: true), Column("COMPLETED", isNumber: true), Column("CANCELLED", isNumber: true),
                Column("FAILED", isNumber: true),
            ])
            let counts = [progress.jobs, progress.completed, progress.cancelled, progress.discarded]
            table.add([Cell(DisplayText.line(name))] + counts.map { Cell(Figures.count($0)) })
            try output.lines(table.takeLines())
        }
        try output.flush()
        let failed = progress.cancelled + progress.discarded
        if failed > 0 {
            throw CommandFailure(
                .jobFailed, "\(Figures.count(failed)) of \(Figures.count(progress.jobs, "job")) failed or were cancelled")
        }
    }
}

/// A timeout for asynchronous work.
enum Deadline {
    /// Runs `body` and cancels it on timeout.
    ///
    /// - Parameters:
    ///   - timeout: Nil for none.
    ///   - expired: Makes the error from the formatted timeout.
    static func run(
        _ timeout: Duration?, _ body: @escaping @Sendable () async throws -> Void,
        expired: @escaping @Sendable (String) -> CommandFailure
    ) async throws {
        guard let timeout else { return try await body() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(operation: body)
            group.addTask {
                try await Task.sleep(for: timeout)
                throw expired(DurationText.format(timeout))
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
