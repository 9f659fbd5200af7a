import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue enqueue`
struct EnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue",
        abstract: "Add a job, or one job for each line or row of a file.",
        discussion: """
            Prints the ID of the new job. Give the prompt as an argument, with --file, or on standard input with `-`. Put a prompt \
            that starts with `-` after `--`. Use --embed to compute embeddings and --memorize to store memories. With --jsonl, every \
            line of the file becomes a job: {"prompt": "…"} with any option as a key, {"kind": "memorize", "text": "…"}, or a line of \
            an OpenAI or Anthropic batch file, which goes to `openai` or `anthropic` unless --provider names another. With --csv, every \
            row becomes a job: its prompt is the --template with the row's values in place of {{column}}, and its metadata are all values.

              agent-queue enqueue 'Why is the sky blue?'
              agent-queue enqueue --wait --stream --max-tokens 100 -- '- is this a list?'
              agent-queue enqueue --schema person.json 'Who wrote Faust?'
              agent-queue enqueue --schema 'name, born int' 'Who wrote Faust?'
              agent-queue enqueue --image receipt.jpg --schema 'shop, total number' 'Read this receipt.'
              git diff | agent-queue enqueue --system 'Review this change.' -
              agent-queue enqueue --memorize 'The office closes at six.' --namespace notes --metadata topic=hours
              agent-queue enqueue --wait --recall 5 --namespace notes 'When does the office close?'
              agent-queue enqueue --jsonl questions.jsonl --batch monday --ingest monday
              agent-queue enqueue --jsonl questions.jsonl --model openai/gpt-5 --batch-api --dry-run
              agent-queue enqueue --csv tickets.csv --template 'Name the topic of this ticket: {{text}}' --batch tickets
            """)

    @Argument(help: "The prompt, or `-` to read standard input.")
    var prompt: String?

    @Option(name: .long, help: ArgumentHelp("Read the prompt from a file.", valueName: "file"), completion: .file())
    var file: String?

    @Option(name: .long, parsing: .upToNextOption, help: ArgumentHelp("Compute embeddings of these texts.", valueName: "text"))
    var embed: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: ArgumentHelp("Store these texts as memories.", valueName: "text"))
    var memorize: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("With --memorize: a key for the memory. A memory with the same key is replaced.", valueName: "key"))
    var key: String?

    @Option(
        name: .long, help: ArgumentHelp("Add a job for each line of a JSONL file, or of standard input with `-`.", valueName: "file"),
        completion: .file(extensions: ["jsonl", "ndjson"]))
    var jsonl: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Add a job for each row of a CSV file, or of standard input with `-`. The first line names the columns.", valueName: "file"),
        completion: .file(extensions: ["csv"]))
    var csv: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "With --csv, or --jsonl of plain objects: the prompt of each row, with {{column}} for its values; @FILE reads it from a file.",
            valueName: "text|@file"))
    var template: String?

    @Option(name: .long, help: BulkOptions.providerHelp)
    var provider: String?

    @Option(name: .long, help: InputImages.help, completion: .file(extensions: InputImages.extensions))
    var image: [String] = []

    @OptionGroup(title: "Job options")
    var job: JobFlags

    @Option(
        name: .long,
        help: ArgumentHelp("Skip if a job with this key exists and has not failed, been cancelled or been pruned.", valueName: "key"))
    var uniqueKey: String?

    @Option(
        name: .long,
        help: ArgumentHelp("With --batch: send this notification when all jobs of the batch have finished. Repeatable.", valueName: "name"))
    var onBatchFinish: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "With --batch: send this notification when all jobs of the batch have finished, if one has failed. Repeatable.",
            valueName: "name"))
    var onBatchFailure: [String] = []

    @Flag(name: .long, help: "Wait for the answer and print it.")
    var wait = false

    @Flag(name: .long, help: "With --wait: print the answer as it arrives.")
    var stream = false

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("With --wait: maximum time to wait, such as 5m.", valueName: "duration"),
        transform: DurationOption.parse)
    var waitTimeout: Duration?

    @Flag(name: .long, help: "With --jsonl or --csv: report invalid lines and add the rest.")
    var skipInvalid = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "With --jsonl or --csv: name this import. The same command continues where it stopped, or adds what the file has grown by.",
            valueName: "name"))
    var ingest: String?

    @Flag(name: .customLong("print-ids"), help: "With --jsonl or --csv: print the ID of each job (with --json, an object for each).")
    var printsIDs = false

    @Flag(
        name: .long,
        help: ArgumentHelp(
            "Show what would be added, without adding anything.",
            discussion: """
                Counts the jobs that the cache would answer and the duplicates, and gives the maximum cost of the rest in US dollars, at \
                one call per job. Duplicates of jobs that are already queued or running are not detected.
                """))
    var dryRun = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        let sources = [prompt != nil, file != nil, !embed.isEmpty, !memorize.isEmpty, jsonl != nil, csv != nil].count { $0 }
        guard sources == 1 else {
            throw ValidationError(
                sources == 0
                    ? "missing prompt; give it as an argument, with --file, or use - for standard input"
                    : "a prompt, --file, --embed, --memorize, --jsonl and --csv are mutually exclusive")
        }
        if let ingest, !(1...JobLimits.maxBatchNameBytes).contains(ingest.utf8.count) || ingest.utf8.contains(0) {
            throw ValidationError("--ingest must be 1 to \(JobLimits.maxBatchNameBytes) bytes long")
        }
        if !image.isEmpty, prompt == nil, file == nil {
            throw ValidationError("--image requires a prompt; a line of a file has images in its messages")
        }
        for (option, names) in [("--on-batch-finish", onBatchFinish), ("--on-batch-failure", onBatchFailure)]
        where !names.isEmpty && job.batch == nil {
            throw ValidationError("\(option) requires --batch")
        }
        if dryRun {
            if wait { throw ValidationError("--dry-run cannot be combined with --wait") }
            if printsIDs { throw ValidationError("--dry-run cannot be combined with --print-ids") }
        }
        if waitTimeout != nil, !wait { throw ValidationError("--wait-timeout requires --wait") }
        if stream {
            if !wait { throw ValidationError("--stream requires --wait") }
            if format.json { throw ValidationError("--stream cannot be combined with --json") }
            if !embed.isEmpty || !memorize.isEmpty { throw ValidationError("--stream cannot be combined with --embed or --memorize") }
        }
        if csv != nil, template == nil { throw ValidationError("--csv requires --template, the prompt with {{column}} in it") }
        if let bulk = jsonl != nil ? "--jsonl" : csv != nil ? "--csv" : nil {
            if wait {
                throw ValidationError("--wait cannot be combined with \(bulk); add --batch NAME and run 'agent-queue wait --batch NAME'")
            }
            if key != nil { throw ValidationError("--key cannot be combined with \(bulk); put \"key\" in the lines") }
            if uniqueKey != nil { throw ValidationError("--unique-key cannot be combined with \(bulk); put \"unique_key\" in the lines") }
            if provider != nil, jsonl == nil || template != nil {
                throw ValidationError("--provider is for lines in a provider's batch form; use --model provider/model")
            }
            return
        }
        if template != nil { throw ValidationError("--template requires --csv or --jsonl") }
        if provider != nil { throw ValidationError("--provider requires --jsonl; use --model provider/model") }
        for (option, isGiven) in [("--skip-invalid", skipInvalid), ("--ingest", ingest != nil), ("--print-ids", printsIDs)] where isGiven {
            throw ValidationError("\(option) requires --jsonl or --csv")
        }
    }

    /// About twenty jobs: a hundred pages of the write-ahead log. What is longer, the command moves into the file before it ends.
    private static let longestLogLeft: Int64 = 100 * 4_120

    func run() async throws {
        let session = try Session(global)
        if dryRun {
            try await forecast(session)
        } else if let source = try bulkSource() {
            try await BulkRun(
                source: source, skipsInvalid: skipInvalid, ingest: ingest, printsReceipts: printsIDs || format.json, json: format.json,
                onBatchFinish: onBatchFinish, onBatchFailure: onBatchFailure, session: session
            ).run()
        } else {
            let newJob = try draft().validated(in: session.settings.intakeContext(now: Now.milliseconds))
            try await session.withStore(createsFile: true, longestLogLeft: wait ? 0 : Self.longestLogLeft) { store in
                try await add(newJob, to: store, session)
            }
        }
    }

    /// The file whose lines or rows become jobs; nil for a single job.
    private func bulkSource() throws -> BulkSource? {
        guard let path = jsonl ?? csv else { return nil }
        var source = BulkSource(path: path, defaults: try job.draft(), provider: provider)
        if let template = try template.map(BulkOptions.readTemplate) { source.form = jsonl == nil ? .csv(template) : .objects(template) }
        return source
    }

    private func forecast(_ session: Session) async throws {
        let source = try bulkSource()
        let forecast =
            if let source {
                try await DryRun.run(source, skipsInvalid: skipInvalid, ingest: ingest, session: session)
            } else {
                try await DryRun.run(draft().validated(in: session.settings.intakeContext(now: Now.milliseconds)), session: session)
            }
        try format.print(forecast.json, lines: forecast.lines)
    }

    private func draft() throws -> JobDraft {
        var draft = try job.draft(kind: !memorize.isEmpty ? .memorize : embed.isEmpty ? .generate : .embed)
        draft.key = key
        draft.uniqueKey = uniqueKey
        draft.isStreamed = stream
        draft.onBatchFinish = onBatchFinish
        draft.onBatchFailure = onBatchFailure
        if !memorize.isEmpty {
            draft.inputs = memorize == ["-"] ? [try InputText.read("-")] : memorize
        } else if embed.isEmpty {
            draft.prompt = try file.map { try InputText.read($0) } ?? (prompt == "-" ? InputText.read("-") : prompt)
            draft.attach(images: try image.map(InputImages.read))
        } else {
            draft.inputs = embed == ["-"] ? [try InputText.read("-")] : embed
        }
        return draft
    }

    private func add(_ newJob: NewJob, to store: QueueStore, _ session: Session) async throws {
        let receipt = try await store.jobs.enqueue(newJob)
        var output = Output()
        if receipt.duplicateOf != nil, !format.json {
            Diagnostics.say("job \(receipt.id) already has this unique key; nothing added")
        }
        try sayWhyCancelled(newJob, receipt, store)
        guard wait else {
            try format.json ? output.json(ReceiptJSON.receipt(receipt)) : output.line("\(receipt.id)")
            return try output.flush()
        }
        let (stream, timeout) = (stream, waitTimeout)
        try await Interruption.reporting(job: receipt.id) {
            if stream {
                try await StreamWait(id: receipt.id, timeout: timeout, session: session).run(in: store)
            } else if !receipt.state.isFinal {
                try await FinalWait(ids: [receipt.id], timeout: timeout, session: session).run(in: store)
            }
        }
        if stream { return }
        guard let job = try store.jobs.get(receipt.id) else { throw JobFailure.notFound(receipt.id) }
        if format.json {
            try output.json(JobJSON.job(job))
        } else if job.state == .completed {
            try output.lines(JobAnswer.lines(job))
        }
        try output.flush()
        try JobFailure.check(job)
    }

    /// Says so if a job was cancelled as it was added, because a job that it comes after has ended without completing.
    private func sayWhyCancelled(_ job: NewJob, _ receipt: Enqueued, _ store: QueueStore) throws {
        guard receipt.duplicateOf == nil, receipt.state == .cancelled else { return }
        let states = try store.jobs.states(of: job.after)
        guard let failed = job.after.first(where: { states[$0] == .discarded || states[$0] == .cancelled }) else { return }
        let what = states[failed] == .discarded ? "has failed" : "was cancelled"
        Diagnostics.say(
            "job \(receipt.id) is cancelled, for job \(failed), named by --after, \(what); 'agent-queue retry \(failed)' restores both")
    }
}
