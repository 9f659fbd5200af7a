import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueStore

/// Random graphs, failures and interleavings of two engines on one file, against a plain reading of the graph.
///
/// `AGENT_QUEUE_RUN_SEQUENCES` sets how many; `AGENT_QUEUE_RUN_SEED` repeats one.
@Suite struct RunRandomTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let sequences = environment["AGENT_QUEUE_RUN_SEQUENCES"].flatMap { Int($0) } ?? 150
    private static let seed = environment["AGENT_QUEUE_RUN_SEED"].flatMap { UInt64($0) }

    @Test(.timeLimit(.minutes(10)))
    func everyRunEndsAsItsGraphSays() async throws {
        let seeds = Self.seed.map { $0...$0 } ?? 1...UInt64(Self.sequences)
        for seed in seeds {
            try await withStore(durability: .normal) { f in
                do {
                    let storm = try await RunStorm(f, seed: seed)
                    try await storm.run()
                } catch {
                    Issue.record("seed \(seed) (repeat it with AGENT_QUEUE_RUN_SEED=\(seed)): \(error)")
                }
            }
        }
    }
}

/// One sequence.
private final class RunStorm {
    struct Mismatch: Error { var text: String }

    private struct Graph {
        var steps: [(name: String, needs: [String], isOptional: Bool)]
        var group: String

        var definition: String {
            JSONValue.object(
                steps.map { step in
                    .init(step.name, ["needs": .array(step.needs.map(JSONValue.string)), "optional": .bool(step.isOptional)])
                }
            ).text
        }
    }

    private let f: Fixture
    private let stores: [QueueStore]
    private let workers: [Int64]
    private var chance: SeededGenerator
    private var planner = GraphPlanner(most: 3)
    /// What fails for good, by what is asked.
    private var bad: Set<String> = []
    private var graphs: [Int64: Graph] = [:]
    /// Runs that a person has meddled with: what became of them follows from that.
    private var meddled: Set<Int64> = []
    private var retried: Set<Int64> = []
    private var claimed: [(job: ClaimedJob, engine: Int)] = []
    /// Decided, and not yet written.
    private var held: [(advance: RunAdvance, engine: Int)] = []

    init(_ f: Fixture, seed: UInt64) async throws {
        self.f = f
        let other = try f.another()
        stores = [f.store, other]
        workers = [f.worker, try await other.claims.registerWorker().id]
        chance = SeededGenerator(seed: seed)
        planner.job = { run, path in
            var job = NewJob.asking("\(run.name) \(path)")
            job.useCache = path != "s1"
            return job
        }
        for group in ["g", "h"] {
            for step in 0..<9 where Int.random(in: 0..<8, using: &chance) == 0 { bad.insert("\(group) s\(step)") }
        }
    }

    func run() async throws {
        defer { stores[1].close() }
        for _ in 0..<3 { try await start() }
        for _ in 0..<150 {
            f.clock.advance(1)
            try await act()
        }
        try await drain()
        try check()
    }

    private func start() async throws {
        var steps: [(name: String, needs: [String], isOptional: Bool)] = []
        for number in 0..<Int.random(in: 1...9, using: &chance) {
            let needs = steps.map(\.name).filter { _ in Int.random(in: 0..<3, using: &chance) == 0 }
            steps.append(("s\(number)", needs, Bool.random(using: &chance)))
        }
        let graph = Graph(steps: steps, group: Bool.random(using: &chance) ? "g" : "h")
        let id = try await engine().runs.start(.graph(graph.definition, name: graph.group, planner)).id
        graphs[id] = graph
    }

    private func engine() -> QueueStore { stores[Int.random(in: 0..<2, using: &chance)] }

    private func act() async throws {
        switch Int.random(in: 0..<100, using: &chance) {
        case 0..<25: try await claim()
        case 25..<60: try await settleOne()
        case 60..<72: _ = try await engine().runs.resume(runs: planner)
        case 72..<80: try decide()
        case 80..<88: try await writeHeld()
        case 88..<91: while try await engine().runs.sweep(slice: 2) {}
        case 91..<94: _ = try await engine().maintenance.promote()
        case 94: f.clock.advance(5_000)
        case 95: try await retryOne()
        case 96: if graphs.count < 5 { try await start() }
        case 97: try await cancelJob()
        case 98: try await cancelRun()
        default: while try await engine().maintenance.fanOut() {}
        }
    }

    private func claim() async throws {
        let engine = Int.random(in: 0..<2, using: &chance)
        let jobs = try await f.claimFrom(stores[engine], worker: workers[engine], slots: Int.random(in: 1...3, using: &chance))
        claimed += jobs.map { ($0, engine) }
    }

    private func settleOne(orderly: Bool = false) async throws {
        guard let place = claimed.indices.randomElement(using: &chance) else { return }
        let (job, engine) = claimed.remove(at: place)
        var failure: FailureClass?
        let asked = try JSONValue.parse(job.body)["messages"]?.array?.first?["content"]?.string ?? ""
        if bad.contains(asked) {
            failure = .permanent
        } else if !orderly, Int.random(in: 0..<6, using: &chance) == 0 {
            failure = .retryable
        }
        if Bool.random(using: &chance) {
            try await f.settleStep(job, failure, by: planner, in: stores[engine])
        } else {
            let request = failure.map { SettleRequest.failure(job, $0, now: f.clock.wall) } ?? .answer(job, cacheFor: 10_000_000)
            _ = try await stores[engine].claims.settle(request)
        }
    }

    private func decide() throws {
        guard let run = graphs.keys.sorted().randomElement(using: &chance) else { return }
        let engine = Int.random(in: 0..<2, using: &chance)
        guard let snapshot = try stores[engine].runs.snapshot(run), !snapshot.ends.isEmpty else { return }
        held.append((snapshot.state.isFinal ? snapshot.recordingEnds() : try planner.plan(snapshot, ended: nil), engine))
    }

    private func writeHeld() async throws {
        guard let place = held.indices.randomElement(using: &chance) else { return }
        let (advance, engine) = held.remove(at: place)
        _ = try await stores[engine].runs.advance(advance)
    }

    private func retryOne() async throws {
        let ended = try f.store.runs.states(of: Array(graphs.keys)).filter { $0.value == .failed || $0.value == .cancelled }
        guard let run = ended.keys.sorted().randomElement(using: &chance), let snapshot = try f.store.runs.snapshot(run) else { return }
        do {
            if try await engine().runs.advance(try planner.retry(snapshot)) { retried.insert(run) }
        } catch let error as StoreError where error.kind == .conflict {
            // Its calls are still being stopped.
        }
    }

    private func cancelJob() async throws {
        guard let job = try f.store.jobs.list(JobFilter(), limit: 100).filter({ !$0.state.isFinal }).randomElement(using: &chance) else {
            return
        }
        if let run = job.runID { meddled.insert(run) }
        _ = try await engine().jobs.cancel(ids: [job.id])
    }

    private func cancelRun() async throws {
        guard let run = graphs.keys.sorted().randomElement(using: &chance) else { return }
        if try await engine().runs.cancel(run: run) == .cancelled { meddled.insert(run) }
    }

    /// Nothing fails any more but what must.
    private func drain() async throws {
        for _ in 0..<400 {
            f.clock.advance(5_000)
            for (advance, engine) in held { _ = try await stores[engine].runs.advance(advance) }
            held = []
            try await claim()
            while !claimed.isEmpty { try await settleOne(orderly: true) }
            for store in stores {
                _ = try await store.maintenance.promote()
                while try await store.maintenance.fanOut() {}
                while try await store.runs.sweep() {}
                while try await store.runs.resume(runs: planner) {}
            }
            let isOver = try f.store.runs.states(of: Array(graphs.keys)).values.allSatisfy(\.isFinal)
            if try isOver && f.store.runs.due().isEmpty
                && f.store.jobs.list(JobFilter(states: [.available, .retryable, .running, .pending]), limit: 1).isEmpty
            {
                return
            }
        }
        throw Mismatch(text: "it does not end")
    }

    private func check() throws {
        for (id, graph) in graphs {
            let detail = try f.run(id)
            let made = Set(detail.snapshot.steps.keys)
            let jobs = try f.store.jobs.list(JobFilter(run: id), limit: 100)
            guard jobs.count == made.count else { throw Mismatch(text: "run \(id): \(jobs.count) jobs of \(made.count) steps") }
            if detail.summary.state == .completed {
                guard made == Set(graph.steps.map(\.name)) else { throw Mismatch(text: "run \(id) completed with \(made.sorted())") }
            }
            try checkOrder(graph, jobs, detail)
            guard !meddled.contains(id) else { continue }
            let expected = Self.outcome(graph, bad)
            guard (detail.summary.state == .completed) == expected.completes else {
                throw Mismatch(text: "run \(id) is \(detail.summary.state), \(detail.summary.reason ?? "-")")
            }
            guard expected.completes, !retried.contains(id) else { continue }
            let states = detail.snapshot.steps.mapValues { $0.state == .completed }
            guard states == expected.steps else { throw Mismatch(text: "run \(id): \(states), not \(expected.steps)") }
        }
    }

    /// No step before those it needs. (A retry makes earlier steps end later.)
    private func checkOrder(_ graph: Graph, _ jobs: [Job], _ detail: RunDetail) throws {
        guard !retried.contains(detail.summary.id) else { return }
        let byStep = Dictionary(uniqueKeysWithValues: jobs.compactMap { job in job.step.map { ($0, job) } })
        for step in graph.steps {
            guard let job = byStep[step.name] else { continue }
            for need in step.needs {
                guard let needed = byStep[need], let ended = needed.finalizedAt, ended <= job.createdAt else {
                    throw Mismatch(text: "run \(detail.summary.id): \(step.name) began before \(need) had ended")
                }
            }
        }
    }

    /// What the graph comes to: the plain reading.
    private static func outcome(_ graph: Graph, _ bad: Set<String>) -> (completes: Bool, steps: [String: Bool]) {
        var steps: [String: Bool] = [:]
        for step in graph.steps { steps[step.name] = !bad.contains("\(graph.group) \(step.name)") }
        return (graph.steps.allSatisfy { $0.isOptional || steps[$0.name] == true }, steps)
    }
}

extension Fixture {
    fileprivate func claimFrom(_ store: QueueStore, worker: Int64, slots: Int) async throws -> [ClaimedJob] {
        try await store.claims.claim(
            ClaimRequest(worker: worker, queues: nil, providers: ["local"], slots: slots, lease: 100_000_000, isIdle: true)
        ).jobs
    }
}
