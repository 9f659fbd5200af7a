import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Testing

/// A ``Scene`` whose provider takes batches, by either API.
struct BatchScene: Sendable {
    let api: ServedBatch.API
    let server: BatchServer
    let scene: Scene

    static let key = ["AQ_BATCH_KEY": "sk-batch"]

    /// What answers, and what it costs: a millionth of a dollar for each of 5 tokens, live.
    var model: String { api == .openAI ? "scripted/m" : "claude/m" }

    /// Runs a test.
    /// - Parameter linger: how long a batch waits for company.
    static func run(
        _ api: ServedBatch.API, _ server: BatchServer = BatchServer(), linger: String = "0s", configuration: String = "",
        _ body: (BatchScene) async throws -> Void
    ) async throws {
        let batch = ", api_key_env: AQ_BATCH_KEY, batch: { linger: \(linger), poll: 1s }"
        let claude = " }\n  claude: { kind: anthropic, base_url: \"$URL\"\(batch)"
        let price = "{ price: { input_per_mtok: 1.0, output_per_mtok: 1.0 } }"
        // A short time out: whether a batch that was sent has arrived is known when that is over.
        let common = """
            http: { request_timeout: 2s }
            breaker: { failure_rate: 1, consecutive: 1000 }
            models:
              scripted/m: \(price)
              claude/m: \(price)
            \(configuration)
            """
        try await withScene(server.script, configuration: common, provider: batch + claude) { scene in
            try await body(BatchScene(api: api, server: server, scene: scene))
        }
    }

    // MARK: Doing

    /// Enqueues a job for each prompt, as a person would.
    func enqueue(_ prompts: [String], _ options: String...) async throws {
        let source = "\(scene.folder)/in-\(UUID().uuidString).jsonl"
        let lines = prompts.map { "\(JSONValue.object([.init("prompt", .string($0))]).text)\n" }
        try lines.joined().write(toFile: source, atomically: true, encoding: .utf8)
        let (ending, output) = try await scene.run(["enqueue", "--jsonl", source, "--model", model, "--max-tokens", "5"] + options)
        try #require(ending == .exit(0), "\(output)")
    }

    /// Starts a worker that ends when there is nothing left to do.
    func drain() throws -> ChildProcess { try scene.startWorker("--drain", environment: Self.key) }

    /// Starts a worker, and waits until it is ready.
    @discardableResult
    func worker() async throws -> ChildProcess { try await scene.worker(environment: Self.key) }

    /// Waits until the worker that drains the queue has.
    func waitForEnd(of worker: ChildProcess, within limit: Duration = .seconds(60)) async throws {
        let ending = try await worker.end(within: limit)
        #expect(ending == .exit(0), "\(worker.output)")
    }

    // MARK: Checking

    /// Every prompt is charged for once in all, wherever it was asked, and its jobs have its answer.
    func checkAnswered(_ prompts: [String]) throws {
        server.endAll()
        #expect(server.charges == Dictionary(uniqueKeysWithValues: Set(prompts).map { ($0, 1) }))
        #expect(server.violations == [])
        #expect(try scene.count(.completed) == prompts.count)
        for job in try scene.store.jobs.list(JobFilter(), limit: prompts.count) {
            let prompt = job.request["messages"]?.array?.last?["content"]?.string ?? "?"
            #expect(job.result?.text == "echo \(prompt)", "job \(job.id): \(job.state) \(job.errors)")
        }
        // What was paid for is on record, once.
        #expect(try scene.number("SELECT sum(calls) FROM charges WHERE outcome = 'answered'") == Int64(Set(prompts).count))
    }

    /// The job of a prompt.
    func job(_ prompt: String) throws -> Job {
        try #require(
            try scene.store.jobs.list(JobFilter(), limit: 1_000).first { $0.request["messages"]?.array?.last?["content"]?.string == prompt }
        )
    }
}
