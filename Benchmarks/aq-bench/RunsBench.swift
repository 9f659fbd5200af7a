import AgentQueue
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker
import ArgumentParser
import CAgentQueue
import Logging

/// What runs add to the calls of their steps: the time of a chain's step, five steps side by side, and claims beside very many runs.
struct RunsBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "runs")
    @Argument(help: "A folder for the databases.") var folder: String
    @Option var durability = "full"
    @Option var chains = 30
    @Option var runs = 10_000
    @Option var claims = 500
    @Option(help: "The calls of one run side by side.") var width = 5_000

    // MARK: Pipelines

    /// Steps that each use the answer before.
    private static func chain(of length: Int) throws -> Pipeline {
        try pipeline(
            "chain",
            (0..<length).map { number in
                let before = number == 0 ? "" : "{{step\(number - 1)}}"
                return "  step\(number): { prompt: \"{{inputs.number}}, step \(number). \(before)\" }"
            })
    }

    /// Steps side by side.
    private static func parallel(_ width: Int) throws -> Pipeline {
        try pipeline("parallel", (0..<width).map { "  step\($0): { prompt: \"{{inputs.number}}, step \($0).\" }" })
    }

    /// One step, for each element of a list.
    private static func fan() throws -> Pipeline {
        try Pipeline(
            yaml: """
                inputs: { items: { type: list } }
                steps:
                  each: { foreach: inputs.items, prompt: "Item {{item}}." }
                """, path: "fan.yaml")
    }

    private static func pipeline(_ name: String, _ steps: [String]) throws -> Pipeline {
        try Pipeline(
            yaml: "inputs: { number: { type: integer } }\nsteps:\n" + steps.joined(separator: "\n"), path: "\(name).yaml")
    }

    private func planner(_ store: QueueStore) -> PipelinePlanner {
        var settings = Settings(database: folder)
        var provider = ProviderSettings(kind: .openai)
        provider.baseURL = "http://127.0.0.1:1/v1"
        settings.providers = ["instant": provider]
        settings.defaultModel = "instant/m"
        return PipelinePlanner(store: store, settings: settings)
    }

    private func start(_ pipeline: Pipeline, _ inputs: JSONValue, in store: QueueStore, by planner: PipelinePlanner) async throws -> Int64 {
        try await store.runs.start(planner.run(pipeline, inputs: inputs)).id
    }

    // MARK: Measuring

    func run() async throws {
        let step = try await chain()
        let parallel = try await sideBySide()
        let wide = try await wide()
        let many = try await many()
        Figures.report([
            "chain_step_ms": .double(step), "five_of_800ms_s": .double(parallel), "wide_s": .double(wide),
            "runs": .integer(Int64(runs)),
            "start_us": .double(many.start), "steps_per_s": .double(many.rate), "claim_us_first": .double(many.claims[0]),
            "claim_us_all_waiting": .double(many.claims[1]), "claim_us_all_done": .double(many.claims[2]),
        ])
    }

    private func open(_ name: String) throws -> QueueStore {
        try QueueStore(path: "\(folder)/\(name).db", options: StoreOptions(durability: Durability(rawValue: durability) ?? .full))
    }

    /// Has a worker run what `body` starts.
    private func working<Value: Sendable>(
        _ store: QueueStore, _ provider: any ModelProvider, concurrency: Int = 16, _ body: () async throws -> Value
    ) async throws -> Value {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        var configuration = WorkerConfiguration(concurrency: concurrency)
        configuration.cacheTimeToLive = nil
        let planner = planner(store)
        let worker = Worker(store: store, providers: [provider], configuration: configuration, planner: planner, logger: logger)
        let upkeep = Maintainer(store: store, planner: planner, logger: logger)
        return try await withThrowingTaskGroup { group in
            group.addTask { try await upkeep.run() }
            group.addTask { try await worker.run() }
            let value = try await body()
            group.cancelAll()
            return value
        }
    }

    private func finish(_ ids: [Int64], in store: QueueStore) async throws {
        guard let last = ids.last else { return }
        for await _ in store.changes(of: .done) {
            guard try store.runs.states(of: [last])[last]?.isFinal == true else { continue }
            if try store.runs.states(of: ids).values.allSatisfy(\.isFinal) { return }
        }
    }

    /// The median time of a step of a chain of ten, in ms, the model answering at once.
    private func chain() async throws -> Double {
        try await medianTime(of: Self.chain(of: 10), rounds: chains, delay: .zero) / 1e7
    }

    /// How long five steps of 0.8 s take, in s: the median of five runs.
    private func sideBySide() async throws -> Double {
        try await medianTime(of: Self.parallel(5), rounds: 5, delay: .milliseconds(800)) / 1e9
    }

    /// How long a run takes, one after the other, in ns.
    private func medianTime(of pipeline: Pipeline, rounds: Int, delay: Duration) async throws -> Double {
        let store = try open(pipeline.name)
        defer { store.close() }
        let planner = planner(store)
        var times = try await working(store, DelayedProvider(delay)) {
            var times: [Int64] = []
            for number in 0..<rounds {
                let began = platform_monotonic_ns()
                let run = try await start(pipeline, ["number": .integer(Int64(number))], in: store, by: planner)
                try await finish([run], in: store)
                times.append(platform_monotonic_ns() - began)
            }
            return times
        }
        times.sort()
        return Double(Figures.percentile(times, 50))
    }

    /// How long a run of very many calls side by side takes, in s, the model answering at once.
    private func wide() async throws -> Double {
        let store = try open("wide")
        defer { store.close() }
        return try await working(store, DelayedProvider(.zero), concurrency: 64) {
            try await Figures.seconds {
                let items = JSONValue.array((0..<width).map { .integer(Int64($0)) })
                let run = try await start(Self.fan(), ["items": items], in: store, by: planner(store))
                try await finish([run], in: store)
            }
        }
    }

    /// Very many runs of five steps: what starting one costs, how many steps a second end, and the median claim when there is one run,
    /// when all wait, and when all have ended but one.
    private func many() async throws -> (start: Double, rate: Double, claims: [Double]) {
        let store = try open("many")
        defer { store.close() }
        let (pipeline, planner) = (try Self.chain(of: 5), planner(store))
        func begin(_ number: Int) async throws -> Int64 {
            try await self.start(pipeline, ["number": .integer(Int64(number))], in: store, by: planner)
        }
        var claims: [Double] = []
        var ids = [try await begin(0)]
        claims.append(try await claimTime(store))
        let began = platform_monotonic_ns()
        for start in stride(from: 1, to: runs, by: 500) {
            ids += try await withThrowingTaskGroup { group in
                for number in start..<min(start + 500, runs) {
                    group.addTask { try await begin(number) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        let start = Double(platform_monotonic_ns() - began) / 1e3 / Double(max(1, runs - 1))
        claims.append(try await claimTime(store))
        let seconds = try await Figures.seconds {
            try await working(store, DelayedProvider(.zero), concurrency: 64) { try await finish(ids, in: store) }
        }
        _ = try await begin(runs)
        claims.append(try await claimTime(store))
        return (start, Double(runs * 5) / seconds, claims)
    }

    /// The median claim of one job, in µs.
    private func claimTime(_ store: QueueStore) async throws -> Double {
        let worker = try await store.claims.registerWorker()
        let request = ClaimRequest(worker: worker.id, queues: nil, providers: ["instant"], slots: 1, lease: 3_600_000, isIdle: false)
        var times: [Int64] = []
        for _ in 0..<claims {
            let began = platform_monotonic_ns()
            let round = try await store.claims.claim(request)
            times.append(platform_monotonic_ns() - began)
            guard let job = round.jobs.first else { throw ValidationError("nothing was claimed") }
            _ = try await store.claims.settle(
                SettleRequest(job: job, settlement: .decide(.handedBack, attempt: 1, maxAttempts: 5, backoff: 0, now: 0)))
        }
        try await store.claims.unregisterWorker(worker.id)
        times.sort()
        return Double(Figures.percentile(times, 50)) / 1e3
    }
}
