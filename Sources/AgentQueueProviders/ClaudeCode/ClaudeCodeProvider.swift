import AgentQueueDialects
import AgentQueueModel
import Glibc
import Synchronization

/// Claude through its own program, Claude Code, run as a child process: with a subscription's login or an API key.
///
/// Each job is one turn of a program without tools, settings or memory. It gets everything on standard input, and prompts cannot trigger
/// anything. A program is kept running for the next job with the same model, system text, schema and limits, and made to
/// forget the previous one; that takes a tenth of the time of a start. If the program is about to ask the model again by itself, it is
/// stopped, because each call is charged.
///
/// The model also sees what the program adds: who it is, the date, the operating system, and, from a process's second job on, that the
/// conversation was cleared.
package final class ClaudeCodeProvider: CheckableProvider {
    /// Its name in the configuration.
    package let name: String
    /// `claude-code`, and the base URL if one is configured, without anything secret.
    package let identity: String
    /// Streaming and structured output; no embeddings.
    package let capabilities = ProviderCapabilities(maxEmbedInputs: 1, streams: true, hasStructuredOutput: true)

    let program: ClaudeCodeProgram
    let pool: ClaudeCodePool
    private let environment: [String: String]
    private let hasKey: Bool
    private let secrets: [String]
    private let isWarm: Bool
    private let limits: ClaudeCodeLimits
    let folder: ClaudeCodeFolder
    private let register: ChildProcessRegister
    private let now: @Sendable () -> Int64
    private let lastID = Atomic<UInt64>(0)
    private let isShutDown = Atomic(false)

    /// Makes a provider. Nothing is started yet.
    /// - Parameters:
    ///   - name: its name in the configuration.
    ///   - command: the program's absolute path; see ``locate(_:environment:)``.
    ///   - environment: the worker's own, from which the program gets what it needs.
    ///   - apiKey: nil to use the program's own login.
    ///   - baseURL: where the API is; nil is the worker's `ANTHROPIC_BASE_URL`, or Anthropic's.
    ///   - isWarm: whether programs are kept running between jobs. One that is too old for that is not.
    ///   - maxJobsPerProcess: how many jobs a process answers before it is replaced.
    ///   - maxProcessBytes: how much memory a process may hold, measured after each job.
    ///   - idleTime: how long an idle process is kept, in ms.
    ///   - maxIdle: how many idle processes are kept.
    ///   - patience: how long the program of a stopped job may take to report its usage, in ms, before it is killed.
    ///   - register: told of each process.
    ///   - now: wall clock, ms.
    package init(
        name: String, command: String, environment: [String: String], apiKey: String? = nil, baseURL: String? = nil, isWarm: Bool = true,
        maxJobsPerProcess: Int = 50, maxProcessBytes: Int = 600_000_000, idleTime: Int64 = 60_000, maxIdle: Int = 8,
        patience: Int64 = 1_000, register: ChildProcessRegister, now: @escaping @Sendable () -> Int64 = WallClock.milliseconds
    ) {
        self.name = name
        self.isWarm = isWarm
        self.register = register
        self.now = now
        let key = apiKey.flatMap { $0.isEmpty ? nil : $0 }
        hasKey = key != nil
        identity = baseURL.map { "claude-code \(BaseURL($0).shown)" } ?? "claude-code"
        self.environment = ClaudeCodeEnvironment.make(worker: environment, apiKey: key, baseURL: baseURL)
        secrets = ClaudeCodeEnvironment.secrets(in: self.environment)
        program = ClaudeCodeProgram(path: command, environment: self.environment)
        pool = ClaudeCodePool(maxIdle: maxIdle)
        folder = ClaudeCodeFolder(in: environment["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp")
        limits = ClaudeCodeLimits(
            maxJobs: max(1, maxJobsPerProcess), maxBytes: maxProcessBytes, idleTime: max(0, idleTime), patience: max(0, patience))
    }

    /// Finds the program.
    /// - Parameters:
    ///   - command: a name to look up in PATH, or a path.
    ///   - environment: the worker's.
    /// - Returns: its absolute path, or why there is none, as a sentence.
    package static func locate(_ command: String, environment: [String: String]) -> Result<String, ModelFailure> {
        ClaudeCodeProgram.locate(command, environment: environment)
    }

    /// Why the program cannot be told what members of a request say, as a refusal before there is a job; nil if it can.
    package static func refusal(of members: [JSONValue.Member]) -> ModelFailure? { ClaudeCodePrompt.refusal(of: members) }

    /// Answers all requests at once, each `generate` with its own process. Other kinds are refused.
    package func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        var outcomes = [Outcome](repeating: .failure(Self.cancelled), count: requests.count)
        await withTaskGroup(of: (Int, Outcome).self) { group in
            for (place, request) in requests.enumerated() {
                var own = options
                if place > 0 { own.onEvent = nil }
                group.addTask { [own] in (place, await self.respond(to: request, own)) }
            }
            for await (place, outcome) in group { outcomes[place] = outcome }
        }
        return outcomes
    }

    func respond(to request: ModelRequest, _ options: CallOptions) async -> Outcome {
        let start = ContinuousClock.now
        do throws(ModelFailure) {
            let prompt = try ClaudeCodePrompt(request)
            let mode = try await launchMode(for: prompt)
            let redaction = Redaction(secrets: secrets, bodies: [request.body])
            // A process that ended while it waited for a job has not started it. A fresh one always does.
            for isFresh in [false, true] {
                if Task.isCancelled { throw Self.cancelled }
                let spent = Int64((ContinuousClock.now - start) / .milliseconds(1))
                let job = ClaudeCodeJob(
                    id: lastID.add(1, ordering: .relaxed).newValue, line: prompt.line(isComposed: mode.isComposed),
                    timeout: max(1, options.timeout - spent), hasSchema: prompt.key.schema != nil, redaction: redaction)
                let kept = isFresh || !mode.isWarm ? nil : pool.take(prompt.key)
                let process = if let kept { kept } else { try launch(prompt.key, mode) }
                switch await process.answer(job, onText: Self.textReceiver(options.onEvent)) {
                case .outcome(let outcome): return outcome
                case .notStarted: continue
                }
            }
            throw ModelFailure(.retryable, "claude ended before it took up the job")
        } catch {
            return .failure(error)
        }
    }

    /// Receives the texts of an answer as its events.
    private static func textReceiver(_ onEvent: (@Sendable (ReplyEvent) -> Void)?) -> (@Sendable (String) -> Void)? {
        guard let onEvent else { return nil }
        let hasBegun = LockedValue(false)
        return { text in
            let isFirst = hasBegun.withLock { hasBegun in
                defer { hasBegun = true }
                return !hasBegun
            }
            if isFirst { onEvent(.begin(model: nil, id: nil, native: nil)) }
            onEvent(.text(text))
        }
    }

    /// Ends all processes, those with a job too, and removes their files.
    package func shutdown() async {
        isShutDown.store(true, ordering: .releasing)
        await pool.shutdown()
        folder.remove()
    }

    // MARK: Processes

    /// How this version of the program can be used for a prompt.
    private struct LaunchMode {
        var isComposed = true
        var isWarm: Bool
        var isBare = false
    }

    /// Decides whether an untrusted prompt is safe with this program.
    /// - Throws: `ModelFailure` for a prompt in which an old program would see a command or a file to attach: `permanent` if the program is
    ///   old, `retryable` if its version is not known.
    private func launchMode(for prompt: ClaudeCodePrompt) async throws(ModelFailure) -> LaunchMode {
        let version = await program.version()
        if Task.isCancelled { throw Self.cancelled }
        if let version, version >= .composes { return LaunchMode(isWarm: isWarm) }
        let which = version.map { "claude \($0)" } ?? "claude does not say its version, and an old one"
        let cure = "update it to \(ClaudeCodeVersion.composes) or later"
        if prompt.beginsLikeACommand {
            throw Self.unsent("\(which) would take a prompt that begins with '/' for a command: \(cure)", version)
        }
        if prompt.holdsAt, !hasKey {
            throw Self.unsent("\(which) would send along files that a prompt names with '@': \(cure), or use an API key", version)
        }
        return LaunchMode(isComposed: false, isWarm: false, isBare: hasKey)
    }

    private static func unsent(_ message: String, _ version: ClaudeCodeVersion?) -> ModelFailure {
        var failure = ModelFailure.unsent(message)
        // The machine may have been too busy to run it. It is asked again next time.
        if version == nil { failure.failure = .retryable }
        return failure
    }

    private func launch(_ key: ClaudeCodeKey, _ mode: LaunchMode) throws(ModelFailure) -> ClaudeCodeProcess {
        guard !isShutDown.load(ordering: .acquiring) else { throw Self.stopped }
        Self.ignoreBrokenPipes
        let launch: ClaudeCodeLaunch
        do throws(ClaudeCodeFolder.Failed) {
            let systemFile = key.system.isEmpty ? nil : try folder.write(key.system)
            launch = ClaudeCodeLaunch(
                command: program.path,
                arguments: ClaudeCodeArguments.make(key, systemFile: systemFile, isWarm: mode.isWarm, isBare: mode.isBare),
                environment: environment(for: key), workingDirectory: try folder.workingDirectory(), systemFile: systemFile,
                isWarm: mode.isWarm)
        } catch {
            if let shortage = ProcessShortage.ofFiles() { throw ModelFailure.notConnected("claude was not started: \(shortage)") }
            throw ModelFailure(.retryable, "claude cannot be started: \(Redaction.line(error.clause))", scope: .provider)
        }
        let process = pool.add {
            ClaudeCodeProcess(launch, key: key, limits: limits, folder: folder, register: register, pool: pool, now: now)
        }
        guard let process else { throw Self.stopped }
        return process
    }

    private static let cancelled = ModelFailure(.cancelled, "the call to claude was cancelled")
    private static let stopped = ModelFailure(.shutdown, "the worker stopped before claude was asked")

    private func environment(for key: ClaudeCodeKey) -> [String: String] {
        var environment = environment
        if let maxTokens = key.maxTokens { environment["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] = "\(maxTokens)" }
        return environment
    }

    /// Writing to a program that has ended must fail, and not end this process.
    private static let ignoreBrokenPipes: Void = {
        var action = sigaction()
        guard sigaction(SIGPIPE, nil, &action) == 0, action.__sigaction_handler.sa_handler == nil else { return }
        signal(SIGPIPE, SIG_IGN)
    }()
}

extension ClaudeCodeProvider {
    /// Used if no model is named: the alias of the cheapest.
    private static let checkedModel = "haiku"
    /// Enough for one word. An answer that is cut off there is still an answer.
    private static let checkedTokens: Int64 = 64

    /// Finds out whether the program runs, is signed in, and its model answers, with one tiny real call.
    package func check(model: String?, timeout: Int64) async -> ProviderCheck {
        let start = ContinuousClock.now
        let model = model ?? Self.checkedModel
        var result = ProviderCheck(provider: name, model: model)
        let request = ModelRequest(
            kind: .generate, target: Target(provider: name, model: model),
            body: ["messages": [["role": "user", "content": "Say OK."]], "max_tokens": .integer(Self.checkedTokens)])
        if case .failure(let failure) = await respond(to: request, CallOptions(timeout: timeout)), !Self.showsLife(failure) {
            result.failure = failure
        }
        result.milliseconds = Int64((ContinuousClock.now - start) / .milliseconds(1))
        return result
    }

    /// A model that used up its tokens thinking, or declined, did answer.
    private static func showsLife(_ failure: ModelFailure) -> Bool {
        failure.calls > 0 && (failure.failure == .invalidReply || failure.failure == .refused)
    }
}
