import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue enqueue`
struct EnqueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enqueue",
        abstract: "Add a job, or a file of jobs.",
        discussion: """
            Prints the new job's number. The prompt is the argument, the file of --file, or standard input for `-`; one that begins \
            with `-` goes behind `--`. --embed adds a job that turns texts into vectors, --memorize one that remembers them. --jsonl adds \
            a job for each line of a file: {"prompt": "…"} with any of the options as keys, {"kind": "memorize", "text": "…"}, or a line \
            of an OpenAI or Anthropic batch.

              agent-queue enqueue 'Why is the sky blue?'
              agent-queue enqueue --wait --stream --max-tokens 100 -- '- is this a list?'
              agent-queue enqueue --schema person.json 'Who wrote Faust?'
              git diff | agent-queue enqueue --system 'Review this change.' -
              agent-queue enqueue --memorize 'The office closes at six.' --namespace notes --metadata topic=hours
              agent-queue enqueue --wait --recall 5 --namespace notes 'When does the office close?'
              agent-queue enqueue --jsonl questions.jsonl --batch monday --ingest monday
              agent-queue enqueue --jsonl questions.jsonl --model openai/gpt-5 --batch-api --dry-run
            """)

    @Argument(help: "The prompt; `-` reads standard input.")
    var prompt: String?

    @Option(name: .long, help: ArgumentHelp("Read the prompt from a file.", valueName: "file"), completion: .file())
    var file: String?

    @Option(name: .long, parsing: .upToNextOption, help: ArgumentHelp("Turn these texts into vectors.", valueName: "text"))
    var embed: [String] = []

    @Option(name: .long, parsing: .upToNextOption, help: ArgumentHelp("Remember these texts.", valueName: "text"))
    var memorize: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("With --memorize: a name for the text; the next memory of this key takes its place.", valueName: "key"))
    var key: String?

    @Option(
        name: .long, help: ArgumentHelp("Add a job for each line of a file; `-` reads standard input.", valueName: "file"),
        completion: .file(extensions: ["jsonl", "ndjson"]))
    var jsonl: String?

    @OptionGroup(title: "Options for the job")
    var job: JobOptions

    @Option(
        name: .long,
        help: ArgumentHelp("Add nothing if a job has this key, until that one is cancelled, discarded or pruned.", valueName: "key"))
    var uniqueKey: String?

    @Option(
        name: .long,
        help: ArgumentHelp("With --batch: a notification that tells when all its jobs have ended; may be repeated.", valueName: "name"))
    var onBatchFinish: [String] = []

    @Flag(name: .long, help: "Wait for the answer and print it.")
    var wait = false

    @Flag(name: .long, help: "With --wait: print the answer while it comes.")
    var stream = false

    @Flag(name: .long, help: "With --jsonl: report lines that cannot become jobs, and add the others.")
    var skipInvalid = false

    @Option(
        name: .long,
        help: ArgumentHelp("With --jsonl: a name for this input. The same command again continues where it stopped.", valueName: "name"))
    var ingest: String?

    @Flag(name: .customLong("print-ids"), help: "With --jsonl: print the number of each job (with --json, a receipt for each).")
    var printsIDs = false

    @Flag(
        name: .long,
        help: ArgumentHelp(
            "Add nothing: say what adding would come to.",
            discussion: """
                How many jobs the cache would answer, how many repeat one before them, and what one call for each of the rest may cost \
                at most, in US dollars. Jobs that equal one waiting or running now are not told apart.
                """))
    var dryRun = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        let sources = [prompt != nil, file != nil, !embed.isEmpty, !memorize.isEmpty, jsonl != nil].count { $0 }
        guard sources == 1 else {
            throw ValidationError(
                sources == 0
                    ? "a prompt is missing: give it as an argument, with --file, or as - for standard input"
                    : "only one of a prompt, --file, --embed, --memorize and --jsonl can be given")
        }
        if let ingest, !(1...JobLimits.maxBatchNameBytes).contains(ingest.utf8.count) || ingest.utf8.contains(0) {
            throw ValidationError("--ingest needs a name of 1 to \(JobLimits.maxBatchNameBytes) bytes")
        }
        if !onBatchFinish.isEmpty, job.batch == nil { throw ValidationError("--on-batch-finish needs --batch") }
        if dryRun {
            if wait { throw ValidationError("--dry-run adds nothing that --wait could wait for") }
            if printsIDs { throw ValidationError("--dry-run adds no jobs, so there are no numbers for --print-ids") }
        }
        if stream {
            if !wait { throw ValidationError("--stream needs --wait") }
            if format.json { throw ValidationError("--stream prints the text as it comes, --json the job at its end: give one of them") }
            if !embed.isEmpty || !memorize.isEmpty { throw ValidationError("--stream is for prompts; vectors come all at once") }
        }
        guard jsonl == nil else {
            if wait { throw ValidationError("--wait waits for one job; give the lines a --batch and use 'agent-queue wait --batch'") }
            if key != nil { throw ValidationError("--key belongs to one text; write \"key\" into the lines") }
            if uniqueKey != nil { throw ValidationError("--unique-key belongs to one job; write \"unique_key\" into the lines") }
            return
        }
        for (option, isGiven) in [("--skip-invalid", skipInvalid), ("--ingest", ingest != nil), ("--print-ids", printsIDs)] where isGiven {
            throw ValidationError("\(option) needs --jsonl")
        }
    }

    func run() async throws {
        let session = try Session(global)
        if dryRun {
            try await forecast(session)
        } else if let jsonl {
            try await BulkRun(
                path: jsonl, defaults: try job.defaults(), skipsInvalid: skipInvalid, ingest: ingest,
                printsReceipts: printsIDs || format.json, json: format.json, onBatchFinish: onBatchFinish, session: session
            ).run()
        } else {
            let newJob = try draft().validated(in: session.settings.intakeContext(now: Now.milliseconds))
            try await session.withStore { store in try await add(newJob, to: store, session) }
        }
    }

    private func forecast(_ session: Session) async throws {
        let forecast =
            if let jsonl {
                try await DryRun.run(
                    file: jsonl, defaults: try job.defaults(), skipsInvalid: skipInvalid, ingest: ingest, session: session)
            } else {
                try await DryRun.run(draft().validated(in: session.settings.intakeContext(now: Now.milliseconds)), session: session)
            }
        var output = Output()
        try format.json ? output.json(forecast.json) : output.lines(forecast.lines)
        try output.flush()
    }

    private func draft() throws -> JobDraft {
        var draft = try job.draft(kind: !memorize.isEmpty ? .memorize : embed.isEmpty ? .generate : .embed)
        draft.key = key
        draft.uniqueKey = uniqueKey
        draft.isStreamed = stream
        draft.onBatchFinish = onBatchFinish
        if !memorize.isEmpty {
            draft.inputs = memorize == ["-"] ? [try InputText.read("-")] : memorize
        } else if embed.isEmpty {
            draft.prompt = try file.map { try InputText.read($0) } ?? (prompt == "-" ? InputText.read("-") : prompt)
        } else {
            draft.inputs = embed == ["-"] ? [try InputText.read("-")] : embed
        }
        return draft
    }

    private func add(_ newJob: NewJob, to store: QueueStore, _ session: Session) async throws {
        let receipt = try await store.enqueue(newJob)
        var output = Output()
        if receipt.duplicateOf != nil, !format.json {
            Diagnostics.say("job \(receipt.id) already has this unique key; nothing was added")
        }
        guard wait else {
            try format.json ? output.json(ReceiptJSON.receipt(receipt)) : output.line("\(receipt.id)")
            return try output.flush()
        }
        if stream { return try await StreamWait(id: receipt.id, timeout: nil, session: session).run(in: store) }
        if !receipt.state.isFinal { try await FinalWait(ids: [receipt.id], timeout: nil, session: session).run(in: store) }
        guard let job = try store.job(receipt.id) else { throw JobFailure.notFound(receipt.id) }
        if format.json {
            try output.json(JobJSON.job(job))
        } else if job.state == .completed {
            try output.lines(JobAnswer.lines(job))
        }
        try output.flush()
        try JobFailure.check(job)
    }
}
