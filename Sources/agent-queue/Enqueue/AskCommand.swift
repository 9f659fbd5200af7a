import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import ArgumentParser

/// `agent-queue ask`
struct AskCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask",
        abstract: "Ask a question and print the answer.",
        discussion: """
            Adds a job and waits for its answer; on a terminal, the answer appears as it is written. If no worker runs the job, this \
            command runs it. The job is kept and cached like any other: `list` and `show` find it. On Ctrl-C the job stays in the queue.

              agent-queue ask 'Why is the sky blue?'
              agent-queue ask --model openai/gpt-5 --system 'Answer in one sentence.' 'Who wrote Faust?'
              git diff | agent-queue ask --system 'Review this change.' -
              agent-queue ask --schema 'name, born int' 'Who wrote Faust?'
              agent-queue ask --image receipt.jpg --schema 'shop, total number' 'Read this receipt.'
            """)

    @Argument(help: "The prompt, or `-` to read standard input.")
    var prompt: String?

    @Option(name: .long, help: ArgumentHelp("Read the prompt from a file.", valueName: "file"), completion: .file())
    var file: String?

    @Option(name: .long, help: InputImages.help, completion: .file(extensions: InputImages.extensions))
    var image: [String] = []

    @OptionGroup var asking: AskingFlags

    @Option(
        name: .long, parsing: .unconditional, help: ArgumentHelp("Maximum time to wait, such as 5m.", valueName: "duration"),
        transform: DurationOption.parse)
    var waitTimeout: Duration?

    @OptionGroup var format: FormatOptions
    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard (prompt != nil) != (file != nil) else {
            throw ValidationError(
                prompt == nil
                    ? "missing prompt; give it as an argument, with --file, or use - for standard input"
                    : "a prompt and --file are mutually exclusive")
        }
    }

    func run() async throws {
        let session = try Session(global)
        let job = try draft().validated(in: session.settings.intakeContext(now: Now.milliseconds))
        let queue = try JobQueue(session.settings, environment: session.environment)
        do {
            try await ask(job, queue, session)
        } catch {
            // The first error is the one to report.
            try? await queue.close()
            throw error
        }
        try await queue.close()
    }

    private func draft() throws -> JobDraft {
        var draft = JobDraft()
        draft.prompt = try file.map { try InputText.read($0) } ?? (prompt == "-" ? InputText.read("-") : prompt)
        draft.attach(images: try image.map(InputImages.read))
        try asking.apply(to: &draft)
        draft.isStreamed = isStreamed
        // The answer is wanted now, not within a day.
        draft.batchAPI = false
        return draft
    }

    /// An answer with a schema is shown when it has been checked.
    private var isStreamed: Bool { Screen.output.isTerminal && !format.json && asking.schema == nil }

    private func ask(_ job: NewJob, _ queue: JobQueue, _ session: Session) async throws {
        try await check(job, queue.store, session)
        let id = try await queue.store.jobs.enqueue(job).id
        let isStreamed = isStreamed
        let timeout = waitTimeout
        try await Interruption.reporting(job: id) {
            try await OwnWork.during(queue, job: id) {
                if isStreamed {
                    try await StreamWait(id: id, timeout: timeout, session: session, runsHere: true).run(in: queue.store)
                } else {
                    try await FinalWait(ids: [id], timeout: timeout, session: session, runsHere: true).run(in: queue.store)
                }
            }
        }
        guard let job = try queue.store.jobs.get(id) else { throw JobFailure.notFound(id) }
        if job.result?.answeredBy == .cache { Diagnostics.say("answered from the cache; use --no-cache to ask anew") }
        if !isStreamed {
            var output = Output()
            if format.json {
                try output.json(JobJSON.job(job))
            } else if job.state == .completed {
                try output.lines(JobAnswer.lines(job))
            }
            try output.flush()
        }
        try JobFailure.check(job)
    }

    /// Refuses a question that neither the cache, nor this process, nor a worker can answer, before anything is added.
    private func check(_ job: NewJob, _ store: QueueStore, _ session: Session) async throws {
        let now = Now.milliseconds
        let calls = try await CallDiagnosis(session.settings, environment: session.environment, store, now: now)
        guard let reason = calls.unavailability(of: job.target), try store.jobs.preview([job]).first != .cached,
            try !WaitDiagnosis.isServed(job.queue, store)
        else { return }
        throw CommandFailure(.unavailable, "\(reason); no worker is running either, so nothing was added")
    }
}

/// Runs a job in this process where no other process does.
enum OwnWork {
    /// How long another worker may take to begin, in ms. It may be busy, or not serve the job's queue or provider.
    private static let patience: Int64 = 2_000

    /// Runs `body`, and beside it, if needed, a worker for the job. An error of the worker ends both.
    static func during(_ queue: JobQueue, job id: Int64, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await body()
                return true
            }
            group.addTask {
                guard try await isNeeded(queue.store, job: id) else { return false }
                try await queue.work(only: id)
                return false
            }
            while let isAnswered = try await group.next() {
                guard isAnswered else { continue }
                // The worker hands back what it has not finished.
                group.cancelAll()
            }
        }
    }

    /// Waits until it is known whether another process runs the job.
    private static func isNeeded(_ store: QueueStore, job id: Int64) async throws -> Bool {
        let start = Now.milliseconds
        guard let queue = try store.jobs.get(id)?.queue else { return false }
        for await _ in store.changes(of: .done) {
            guard let state = try store.jobs.states(of: [id])[id], !state.isFinal else { return false }
            if try !WaitDiagnosis.isServed(queue, store) || (state == .available && Now.milliseconds - start >= patience) { return true }
        }
        return false
    }
}
