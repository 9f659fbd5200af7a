import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue wait`
struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait for jobs to finish.",
        discussion: """
            Exits with 0 if all jobs complete, 1 if any fails or is cancelled, and 2 on timeout. With --stream, prints the answer of one \
            job as it arrives.

              agent-queue wait 17 18
              agent-queue wait --stream 17
              agent-queue wait --batch monday --timeout 5m
            """)

    @Argument(help: ArgumentHelp("Job IDs.", valueName: "id"))
    var ids: [Int64] = []

    @Option(name: .long, help: ArgumentHelp("Wait for all jobs of a batch.", valueName: "name"))
    var batch: String?

    @Flag(name: .long, help: "Print the answer of one job as it arrives.")
    var stream = false

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum time to wait, such as 5m.", valueName: "duration"),
        transform: DurationOption.parse)
    var timeout: Duration?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard ids.isEmpty != (batch == nil) else {
            throw ValidationError(
                ids.isEmpty ? "give job IDs or --batch" : "job IDs and --batch are mutually exclusive")
        }
        guard stream else { return }
        if ids.count != 1 { throw ValidationError("--stream requires exactly one job ID") }
        if format.json { throw ValidationError("--stream cannot be combined with --json") }
    }

    func run() async throws {
        let session = try Session(global)
        try await session.withStore { store in
            if stream {
                try await StreamWait(id: ids[0], timeout: timeout, session: session).run(in: store)
            } else if let batch {
                try await BatchWait(name: batch, timeout: timeout, session: session).run(in: store, json: format.json)
            } else {
                try await FinalWait(ids: ids, timeout: timeout, session: session).run(in: store)
                try await report(store)
            }
        }
    }

    private func report(_ store: QueueStore) async throws {
        var listing = Listing(
            format, [Column("ID", isNumber: true), Column("STATE", .fixed), Column("TOOK", isNumber: true), Column("ANSWER", .text)])
        var failed = 0
        for id in ids {
            guard let job = try store.jobs.get(id) else { throw CommandFailure(.badInput, "job \(id) was deleted while waiting for it") }
            if job.state != .completed { failed += 1 }
            try listing.add(
                JobJSON.job(job),
                row: [
                    Cell("\(id)"), Cell(job.state.displayName, Style.of(job.state)), Cell(JobPreview.took(job)),
                    Cell(JobPreview.answer(job)),
                ])
        }
        try listing.finish()
        if failed > 0 {
            throw CommandFailure(.jobFailed, "\(failed) of \(Figures.count(ids.count, "job")) failed or were cancelled")
        }
    }
}
