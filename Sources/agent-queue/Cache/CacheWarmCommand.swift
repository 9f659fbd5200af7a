import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueSettings
import AgentQueueStore
import ArgumentParser

/// `agent-queue cache warm`
struct CacheWarmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warm",
        abstract: "Enqueue the prompts of a file that are not cached yet.",
        discussion: """
            Takes the same lines as `enqueue --jsonl`, and skips those that are cached or repeat an earlier line. The jobs get priority \
            9, the lowest, unless --priority is given.

              agent-queue cache warm --jsonl popular.jsonl --cache-ttl 7d
            """)

    @Option(
        name: .long, help: ArgumentHelp("JSONL file of prompts, or `-` for standard input.", valueName: "file"),
        completion: .file(extensions: ["jsonl", "ndjson"]))
    var jsonl: String

    @Option(name: .long, help: BulkOptions.providerHelp)
    var provider: String?

    @OptionGroup(title: "Job options")
    var job: JobFlags

    @Flag(name: .long, help: "Report invalid lines and add the rest.")
    var skipInvalid = false

    @Flag(name: .customLong("print-ids"), help: "Print the ID of each job (with --json, an object for each before the summary).")
    var printsIDs = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if job.asking.noCache { throw ValidationError("--no-cache cannot be used to warm the cache") }
    }

    func run() async throws {
        let session = try Session(global)
        guard session.settings.cache.enabled else {
            throw CommandFailure(.badConfiguration, "the cache is disabled (cache.enabled: false)")
        }
        var defaults = try job.draft()
        defaults.priority = defaults.priority ?? JobLimits.priorities.upperBound
        try await session.withStore(createsFile: true) { [defaults] store in
            let source = BulkSource(path: jsonl, defaults: defaults, provider: provider)
            let file = try await BulkFile.check(source, skipsInvalid: skipInvalid, session: session)
            let receipts = BulkReceipts(printsReceipts: printsIDs, json: format.json)
            let warming = CacheWarming(store, receipts)
            try await file.forEachSlice("Adding") { jobs, _ in try await warming.take(jobs) }
            try await receipts.finish()
            try await report(warming, receipts)
        }
    }

    private func report(_ warming: CacheWarming, _ receipts: BulkReceipts) async throws {
        let added = await receipts.targets.jobs
        let duplicates = await receipts.duplicates
        var output = Output()
        if format.json {
            try output.json(await warming.json(enqueued: added, duplicates: duplicates))
        } else {
            let summary = await warming.summary(enqueued: added, duplicates: duplicates)
            // With --print-ids, standard output is for the IDs.
            if printsIDs { return Diagnostics.write(summary + "\n") }
            try output.line(summary)
        }
        try output.flush()
    }
}

/// Adds the jobs of a file that are not cached.
actor CacheWarming {
    private var cached = 0
    /// Equal to an earlier job.
    private var repeated = 0
    /// Jobs that opted out of the cache.
    private var unkept = 0
    private var digests = DigestSet()
    private let store: QueueStore
    private let receipts: BulkReceipts

    init(_ store: QueueStore, _ receipts: BulkReceipts) {
        self.store = store
        self.receipts = receipts
    }

    func take(_ jobs: [NewJob]) async throws {
        var missing: [NewJob] = []
        for (job, preview) in zip(jobs, try store.jobs.preview(jobs)) {
            if !job.useCache {
                unkept += 1
            } else if preview == .cached {
                cached += 1
            } else if !digests.insert(job.digest) {
                repeated += 1
            } else {
                missing.append(job)
            }
        }
        guard !missing.isEmpty else { return }
        await receipts.take(try await store.jobs.enqueue(missing), of: missing)
    }

    /// As `--json` prints it.
    func json(enqueued: Int, duplicates: Int) -> JSONValue {
        .object([
            .init("enqueued", .integer(Int64(enqueued))), .init("cached", .integer(Int64(cached))),
            .init("repeated", .integer(Int64(repeated))), .init("unique_key_taken", .integer(Int64(duplicates))),
            .init("no_cache", .integer(Int64(unkept))),
        ])
    }

    /// For people.
    func summary(enqueued: Int, duplicates: Int) -> String {
        var text = "\(enqueued) enqueued, \(cached) already cached, \(repeated) duplicates"
        if duplicates > 0 { text += ", \(duplicates) with an existing unique key" }
        if unkept > 0 { text += ", \(unkept) skipped because they do not use the cache" }
        return text
    }
}
