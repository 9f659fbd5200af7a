import JobModel
import QueueStore

/// Waits until every job of a batch is final. A batch keeps its own counts, so that its size does not matter.
struct BatchWait {
    let name: String
    let timeout: Duration?
    let session: Session

    func run(in store: QueueStore, json: Bool) async throws {
        try await Deadline.run(timeout) {
            try await wait(in: store)
        } expired: { duration in
            CommandFailure(.timedOut, "batch '\(name)': not all jobs were final within \(duration)")
        }
        try report(try await progress(store), json: json)
    }

    private func progress(_ store: QueueStore) async throws -> BatchProgress {
        guard let progress = try store.batch(named: name) else {
            throw CommandFailure(.badInput, "there is no batch '\(name)'")
        }
        return progress
    }

    private func wait(in store: QueueStore) async throws {
        var bar = ProgressBar("Waiting")
        defer { bar.clear() }
        try WorkerHint.sayIfNoneRuns(store)
        try await ProviderHint.say(forBatch: name, store, session)
        for await _ in store.changes(of: .done) {
            let progress = try await progress(store)
            bar.update(progress.completed + progress.cancelled + progress.discarded, of: progress.jobs)
            if progress.isDone { return }
        }
    }

    private func report(_ progress: BatchProgress, json: Bool) throws {
        var output = Output()
        if json {
            try output.json(
                .object([
                    .init("batch", .string(name)), .init("jobs", .integer(Int64(progress.jobs))),
                    .init("completed", .integer(Int64(progress.completed))), .init("cancelled", .integer(Int64(progress.cancelled))),
                    .init("discarded", .integer(Int64(progress.discarded))),
                ]))
        } else {
            var table = Table([
                Column("BATCH"), Column("JOBS", isNumber: true), Column("COMPLETED", isNumber: true), Column("CANCELLED", isNumber: true),
                Column("DISCARDED", isNumber: true),
            ])
            let counts = [progress.jobs, progress.completed, progress.cancelled, progress.discarded]
            table.add([Cell(DisplayText.line(name))] + counts.map { Cell(Figures.count($0)) })
            try output.lines(table.takeLines())
        }
        try output.flush()
        let failed = progress.cancelled + progress.discarded
        if failed > 0 {
            throw CommandFailure(
                .jobFailed, "\(Figures.count(failed)) of \(Figures.count(progress.jobs, "job")) ended discarded or cancelled")
        }
    }
}
