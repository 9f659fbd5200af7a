import AgentQueue
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue run`
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Start and manage pipeline runs.",
        discussion: """
            A run is a graph of jobs. Each step makes one or more model calls, and starts when the steps it needs are done. \
            `agent-queue pipelines` lists the pipelines.

              agent-queue run summarize --input documents=@report.txt --wait
              agent-queue run show 3
              agent-queue run output 3
            """,
        subcommands: [
            RunStartCommand.self, RunShowCommand.self, RunOutputCommand.self, RunWaitCommand.self, RunCancelCommand.self,
            RunRetryCommand.self,
        ],
        defaultSubcommand: RunStartCommand.self)
}

/// `agent-queue run NAME`
struct RunStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start a pipeline or mode; short form: `run NAME`.",
        discussion: """
            Prints the ID of the new run. With --wait, shows its steps as they run and then prints its output; exits with 0 if the run \
            completes, 1 if it fails or is cancelled, and 2 on timeout.

              agent-queue run coding --input task=@spec.md --wait
              agent-queue run summarize --input documents=@a.txt --input documents=@b.txt --model local/smollm2
              agent-queue run compare --input prompt='Why is the sky blue?' --input targets=local/smollm2 --dry-run
            """)

    @Argument(help: ArgumentHelp("Pipeline or mode; `agent-queue pipelines` lists them.", valueName: "name"))
    var name: String

    @OptionGroup(title: "Inputs")
    var inputs: RunInputOptions

    @Option(
        name: .long,
        help: ArgumentHelp("Model for steps that do not name one. Default: `default_model`.", valueName: "provider/model"))
    var model: String?

    @Option(name: .long, help: ArgumentHelp("Queue for its jobs. Default: default.", valueName: "queue"))
    var queue: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("Priority, 1 to 9; lower runs first. Default: 5.", valueName: "1-9"))
    var priority: Int?

    @Option(name: .long, help: ArgumentHelp("Add a tag to its jobs. Repeatable.", valueName: "tag"))
    var tag: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Skip if a run with this key exists and has not failed, been cancelled or been pruned.", valueName: "key"))
    var uniqueKey: String?

    @Option(
        name: .long, help: ArgumentHelp("Send this notification when the run finishes. Repeatable.", valueName: "name"))
    var onFinish: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Send this notification if the run fails. Repeatable.", valueName: "name"))
    var onFailure: [String] = []

    @Flag(name: .long, help: "Wait for the run, show its steps, and print its output.")
    var wait = false

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("With --wait: maximum time to wait, such as 5m.", valueName: "duration"),
        transform: DurationOption.parse)
    var timeout: Duration?

    @Flag(
        name: .long,
        help: ArgumentHelp(
            "Show the graph, the first prompts, and the most calls and cost, without starting anything.",
            discussion: """
                The estimate takes answers to be as long as max_tokens allows (500 tokens if it is not set), lists of unknown length to have \
                5 elements, and loops to run all rounds.
                """))
    var dryRun = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if timeout != nil, !wait { throw ValidationError("--timeout requires --wait") }
        if dryRun, wait { throw ValidationError("--dry-run cannot be combined with --wait") }
        if let uniqueKey, !(1...JobLimits.maxUniqueKeyBytes).contains(uniqueKey.utf8.count) || uniqueKey.utf8.contains(0) {
            throw ValidationError("--unique-key must be 1 to \(JobLimits.maxUniqueKeyBytes) bytes")
        }
    }

    func run() async throws {
        let session = try Session(global)
        let catalog = PipelineCatalog(session.settings)
        let pipeline = try catalog.pipeline(named: name)
        let given = try inputs.object(for: pipeline)
        let context = session.settings.intakeContext(now: Now.milliseconds)
        try NotificationName.check(onFinish + onFailure, in: context)
        let options = RunOptions(queue: queue, priority: priority, tags: tag, model: model)
        if dryRun {
            let forecast = RunForecast(
                pipeline, name: name, inputs: try catalog.checked(given, of: pipeline), options: options, context: context,
                cost: session.settings.worstCosts())
            try forecast.check()
            return try forecast.print(json: format.json)
        }
        try await session.withStore(createsFile: true) { store in
            let planner = PipelinePlanner(store: store, settings: session.settings)
            var run = try planner.run(pipeline, name: name, inputs: try catalog.checked(given, of: pipeline), options: options)
            // Not even its first calls can be made: nobody would look for the reason in a run.
            if run.first.begun.isEmpty, let end = run.first.end, end.state == .failed {
                throw CommandFailure(.usage, "\(end.reason ?? "no call of it can be made"); nothing started")
            }
            run.uniqueKey = uniqueKey
            run.onFinish = onFinish
            run.onFailure = onFailure
            let started = try await store.runs.start(run)
            // Steps answered from the cache finish immediately, and there may be no worker to continue from them.
            if started.duplicateOf == nil { try await store.runs.resume(run: started.id, with: planner) }
            try await report(started, in: store, session)
        }
    }

    private func report(_ started: StartedRun, in store: QueueStore, _ session: Session) async throws {
        if started.duplicateOf != nil, !format.json {
            Diagnostics.say("run \(started.id) already has this unique key; nothing started")
        }
        guard wait else {
            var output = Output()
            if format.json {
                guard let state = try store.runs.states(of: [started.id])[started.id] else { throw RunFailure.notFound(started.id) }
                try output.json(RunJSON.receipt(started, state))
            } else {
                try output.line("\(started.id)")
            }
            return try output.flush()
        }
        try await RunWait(ids: [started.id], timeout: timeout, session: session, showsEnded: true).run(in: store)
        guard let detail = try store.runs.detail(started.id) else { throw RunFailure.notFound(started.id) }
        var output = Output()
        if format.json {
            try output.json(RunJSON.detail(detail))
        } else if let result = detail.output, detail.summary.state == .completed {
            try output.lines(RunOutput.lines(result))
        }
        try output.flush()
        try RunFailure.check(detail.summary)
    }
}

/// The inputs of a run.
struct RunInputOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Set an input. @file reads a file, @- standard input. Repeatable.",
            discussion: """
                Write numbers, booleans and objects as JSON. For a list, give a JSON array or repeat the option for each element: \
                --input docs=@a.txt --input docs=@b.txt. Write @@ for a text that starts with @.
                """, valueName: "name=value"))
    var input: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Read inputs from a JSON object in a file. --input takes precedence.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var inputs: String?

    /// The inputs as an object, converted to the types that the pipeline declares.
    ///
    /// - Throws: `InputError`; `CommandFailure` if a file cannot be read.
    func object(for pipeline: Pipeline) throws -> JSONValue {
        if input.count(where: { $0.hasSuffix("=@-") }) + (inputs == "-" ? 1 : 0) > 1 {
            throw CommandFailure(.usage, "standard input can be read only once")
        }
        return try RunInputs(of: pipeline.inputs) { path in try InputText.read(path, subject: "the input") }
            .object(input, over: try inputs.map(Self.read))
    }

    private static func read(_ path: String) throws -> JSONValue {
        let name = path == "-" ? "standard input" : "'\(path)'"
        let value: JSONValue
        do {
            value = try JSONValue.parse(try InputText.read(path, subject: "the inputs"))
        } catch let error as JSONError {
            throw CommandFailure(.badInput, "\(name): \(error.description)")
        }
        guard value.members != nil else {
            throw CommandFailure(.badInput, "\(name) must contain a JSON object, not \(value.kindName)")
        }
        return value
    }
}
