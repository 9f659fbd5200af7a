import AgentQueue
import ArgumentParser
import JobModel
import QueueStore
import Settings

/// `agent-queue cache warm`
struct CacheWarmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warm",
        abstract: "Enqueue the prompts of a file that are not cached.",
        discussion: """
            For prompts that will be asked again. Lines are as for `enqueue --jsonl`; those that the cache answers now, or that repeat \
            one before them, are passed over. The jobs have priority 9, so that they run when nothing else does, unless told otherwise.

              agent-queue cache warm --jsonl popular.jsonl --cache-ttl 7d
            """)

    @Option(
        name: .long, help: ArgumentHelp("The prompts, a line each; `-` reads standard input.", valueName: "file"),
        completion: .file(extensions: ["jsonl", "ndjson"]))
    var jsonl: String

    @OptionGroup(title: "Options for the jobs")
    var job: JobOptions

    @Flag(name: .long, help: "Report lines that cannot become jobs, and take the others.")
    var skipInvalid = false

    @Flag(name: .customLong("print-ids"), help: "Print the number of each job (with --json, a receipt for each, before the counts).")
    var printsIDs = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if job.noCache { throw ValidationError("--no-cache keeps no answers, so there is nothing to warm") }
    }

    func run() async throws {
        let session = try Session(global)
        guard session.settings.cache.enabled else {
            throw CommandFailure(.badConfiguration, "the cache is off (cache.enabled: false), so that no answer would be kept")
        }
        var defaults = try job.defaults()
        defaults.priority = defaults.priority ?? JobLimits.priorities.upperBound
        try await session.withStore { [defaults] store in
            let file = try await BulkFile.check(jsonl, defaults: defaults, skipsInvalid: skipInvalid, session: session)
            let receipts = BulkReceipts(printsReceipts: printsIDs, json: format.json)
            let warming = CacheWarming(store, receipts)
            try await file.forEachSlice("Adding") { jobs, _ in try await warming.take(jobs) }
            try await receipts.finish()
            try await report(warming, receipts)
        }
    }

    private func report(_ warming: CacheWarming, _ receipts: BulkReceipts) async throws {
        let added = await receipts.added
        let duplicates = await receipts.duplicates
        var output = Output()
        if format.json {
            try output.json(await warming.json(enqueued: added, duplicates: duplicates))
        } else {
            let summary = await warming.summary(enqueued: added, duplicates: duplicates)
            // Numbers are what a script reads; what is said of them is not data then.
            if printsIDs { return Diagnostics.write(summary + "\n") }
            try output.line(summary)
        }
        try output.flush()
    }
}
