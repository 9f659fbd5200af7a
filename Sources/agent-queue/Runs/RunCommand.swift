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
        abstract: "Start a pipeline, and look after runs.",
        discussion: """
            A run is a graph of jobs: each step is one call of a model, or several at once, and begins when what it needs is there. \
            `agent-queue pipelines` lists what can be run.

              agent-queue run summarize --input text=@report.txt --wait
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
        abstract: "Start a pipeline or a mode; `run NAME` is the same.",
        discussion: """
            Prints the new run's number. With --wait its steps are shown while they run, and its output is printed at the end: 0 when it \
            has completed, 1 when it has failed or was cancelled, 2 when the time ran out.

              agent-queue run coding --input task=@spec.md --wait
              agent-queue run summarize --input texts=@a.txt --input texts=@b.txt --model local/smollm2
              agent-queue run compare --input prompt='Why is the sky blue?' --dry-run
            """)

    @Argument(help: ArgumentHelp("A pipeline's or a mode's name; `agent-queue pipelines` lists them.", valueName: "name"))
    var name: String

    @OptionGroup(title: "What it is given")
    var inputs: RunInputOptions

    @Option(
        name: .long,
        help: ArgumentHelp("The target of calls whose step and role name none. Default: `default_model`.", valueName: "provider/model"))
    var model: String?

    @Option(name: .long, help: ArgumentHelp("The queue that its jobs wait in. Default: default.", valueName: "queue"))
    var queue: String?

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("1 to 9; lower runs first. Default: 5.", valueName: "1-9"))
    var priority: Int?

    @Option(name: .long, help: ArgumentHelp("A word to find its jobs by; may be repeated.", valueName: "tag"))
    var tag: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp("Start nothing if a run has this key, until that one fails, is cancelled or pruned.", valueName: "key"))
    var uniqueKey: String?

    @Option(
        name: .long, help: ArgumentHelp("Tell of its end by this notification of the configuration; may be repeated.", valueName: "name"))
    var onFinish: [String] = []

    @Flag(name: .long, help: "Wait until it has ended, show its steps, and print its output.")
    var wait = false

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("With --wait: for so long at most: 5m.", valueName: "duration"),
        transform: DurationOption.parse)
    var timeout: Duration?

    @Flag(name: .long, help: "Start nothing: show the graph and the first prompts.")
    var dryRun = false

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if timeout != nil, !wait { throw ValidationError("--timeout needs --wait") }
        if dryRun, wait { throw ValidationError("--dry-run starts nothing that --wait could wait for") }
        if let uniqueKey, !(1...JobLimits.maxUniqueKeyBytes).contains(uniqueKey.utf8.count) || uniqueKey.utf8.contains(0) {
            throw ValidationError("--unique-key needs 1 to \(JobLimits.maxUniqueKeyBytes) bytes")
        }
    }

    func run() async throws {
        let session = try Session(global)
        let catalog = PipelineCatalog(session.settings)
        let pipeline = try catalog.pipeline(named: name)
        let given = try inputs.object(for: pipeline)
        try NotificationName.check(onFinish, in: session.settings.intakeContext(now: Now.milliseconds))
        let options = RunOptions(queue: queue, priority: priority, tags: tag, model: model)
        try NotificationName.check(onFinish, in: session.settings.intakeContext(now: Now.milliseconds))
        if dryRun {
            return try RunForecast(pipeline, name: name, inputs: try catalog.checked(given, of: pipeline), options: options)
                .print(json: format.json)
        }
        try await session.withStore { store in
            let planner = PipelinePlanner(store: store, settings: session.settings)
            var run = try planner.run(pipeline, name: name, inputs: try catalog.checked(given, of: pipeline), options: options)
            run.uniqueKey = uniqueKey
            run.onFinish = onFinish
            let started = try await store.start(run)
            // What the cache answers ends at once, and nobody else may be there to go on from it.
            if started.duplicateOf == nil { try await store.resume(run: started.id, with: planner) }
            try await report(started, in: store, session)
        }
    }

    private func report(_ started: StartedRun, in store: QueueStore, _ session: Session) async throws {
        if started.duplicateOf != nil, !format.json {
            Diagnostics.say("run \(started.id) already has this unique key; nothing was started")
        }
        guard wait else {
            var output = Output()
            if format.json {
                guard let state = try store.runStates(of: [started.id])[started.id] else { throw RunFailure.notFound(started.id) }
                try output.json(RunJSON.receipt(started, state))
            } else {
                try output.line("\(started.id)")
            }
            return try output.flush()
        }
        try await RunWait(ids: [started.id], timeout: timeout, showsEnded: true).run(in: store)
        guard let detail = try store.runDetail(started.id) else { throw RunFailure.notFound(started.id) }
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

/// What a run is given.
struct RunInputOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "An input; may be repeated. @file reads a file, @- standard input.",
            discussion: """
                Numbers, true and false, and objects are written as in JSON. A list is a JSON array, or its name given once for each \
                element: --input docs=@a.txt --input docs=@b.txt. A text that begins with @ is written @@.
                """, valueName: "name=value"))
    var input: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Read inputs from a file: a JSON object. --input goes before it.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var inputs: String?

    /// The inputs as an object, each of the type that the pipeline wants.
    ///
    /// - Throws: `InputError`; `CommandFailure` where a file cannot be read.
    func object(for pipeline: Pipeline) throws -> JSONValue {
        if input.count(where: { $0.hasSuffix("=@-") }) + (inputs == "-" ? 1 : 0) > 1 {
            throw CommandFailure(.usage, "standard input can be read once")
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
            throw CommandFailure(.badInput, "what \(name) holds is \(error.description)")
        }
        guard value.members != nil else {
            throw CommandFailure(.badInput, "\(name) must hold an object of inputs, not \(value.kindName)")
        }
        return value
    }
}
