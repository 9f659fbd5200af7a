import AgentQueueModel
import AgentQueueTestSupport
import CAgentQueue
import Foundation
import Glibc
import Logging
import Synchronization
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// A store over a real file, and what runs its jobs, one call after the other.
final class Bench: Sendable {
    let folder: String
    let store: QueueStore
    let provider: ScriptedProvider
    let registration: WorkerRegistration
    let configuration: WorkerConfiguration
    let inFlight = InFlight()
    private let later: Later
    private let told = Mutex<[JobEvent]>([])
    private let recaller: Recaller?
    private let planner: (any RunPlanner)?

    fileprivate init(
        _ provider: ScriptedProvider, _ planner: (any RunPlanner)?, _ configure: (inout WorkerConfiguration) -> Void
    ) async throws {
        self.planner = planner
        folder = try Folder.make()
        self.provider = provider
        var configuration = WorkerConfiguration()
        configuration.prices = ["local/e": ModelPrice(input: 1, output: 1)]
        configuration.memory = MemoryConfiguration(model: Target(provider: "local", model: "e"), recallTemplate: "Known:\n{{memories}}")
        configure(&configuration)
        self.configuration = configuration
        let system = StoreClock.system
        let later = Later()
        self.later = later
        store = try QueueStore(
            path: folder + "/q.db",
            options: StoreOptions(
                durability: .normal,
                clock: StoreClock(wall: { system.wall() + later.milliseconds }, boot: system.boot, bootID: system.bootID)))
        registration = try await store.claims.registerWorker()
        recaller = Recaller(
            store: store, providers: [provider.name: provider], configuration: configuration,
            logger: Logger.silent)
    }

    /// What was reported of the jobs.
    var events: [JobEvent] { told.withLock { $0 } }

    private var runner: JobRunner {
        var runner = JobRunner(
            store: store, providers: [provider.name: provider], configuration: configuration, cache: nil, semantic: nil, recaller: recaller,
            inFlight: inFlight, calls: registration.calls,
            logger: Logger.silent
        ) { [self] event in told.withLock { $0.append(event) } }
        runner.planner = planner
        return runner
    }

    func worker(
        audience: (any ReplyAudience)? = nil, _ observer: @escaping @Sendable (JobEvent) -> Void = { _ in }
    ) -> Worker {
        Worker(
            store: store, providers: [provider], configuration: configuration, planner: planner, audience: audience,
            logger: Logger.silent,
            observer: observer)
    }

    /// Adds a job for each text.
    @discardableResult
    func add(_ texts: [String], _ configure: (inout NewJob) -> Void = { _ in }) async throws -> [Int64] {
        try await store.jobs.enqueue(
            texts.map { text in
                let request = ModelRequest(kind: .embed, target: Target("local/e")!, body: ["input": [.string(text)]])
                var job = NewJob(
                    kind: .embed, target: request.target, body: request.storedBody, digest: request.digest(identity: provider.identity))
                configure(&job)
                return job
            }
        ).map(\.id)
    }

    /// Adds a job that remembers texts.
    @discardableResult
    func memorize(
        _ texts: [String], in namespace: String = "notes", _ order: (inout MemoryOrder) -> Void = { _ in },
        _ configure: (inout NewJob) -> Void = { _ in }
    ) async throws -> Int64 {
        var memory = MemoryOrder(namespace: namespace, prefix: "p: ")
        order(&memory)
        var job = NewJob(memory, texts: texts, target: Target(provider: "local", model: "e"), identity: provider.identity)
        configure(&job)
        return try await store.jobs.enqueue(job).id
    }

    /// The memories of a namespace, in the order of their ids.
    func memories(_ namespace: String = "notes") throws -> [Memory] { try store.memories.list(in: namespace, after: 0, limit: 10_000) }

    /// Claims, for one call.
    func claim() async throws -> [ClaimedJob] {
        var request = ClaimRequest(
            worker: registration.id, queues: nil, providers: ["local"], slots: 1, lease: 60_000, isIdle: true,
            policies: configuration.policies)
        request.capacities = ["local": CallCapacity(inputs: provider.capabilities.maxEmbedInputs)]
        let jobs = try await store.claims.claim(request).jobs
        inFlight.add(jobs, alone: false) { [configuration] in configuration.deadline(of: $0, now: platform_monotonic_ns()) }
        return jobs
    }

    /// A job's lease goes to another attempt, as when a worker was taken for dead.
    func handOver(_ id: Int64) async throws {
        try await store.write { transaction in
            try transaction.statement(
                "UPDATE jobs SET state = 'available', token = NULL, worker_id = NULL, lease_expires_at = NULL WHERE id = ?"
            ).bind(id).run()
            let lane = try transaction.statement("SELECT lane_id FROM jobs WHERE id = ?").bind(id).first { $0.int64(0) } ?? 0
            transaction.ledger.move(lane: lane, batch: nil, from: .running, to: .available)
        }
    }

    /// Claims and runs one job, as a worker does that lets none share a call.
    func roundAlone() async throws {
        let request = ClaimRequest(
            worker: registration.id, queues: nil, providers: ["local"], slots: 1, lease: 60_000, isIdle: true,
            policies: configuration.policies)
        let jobs = try await store.claims.claim(request).jobs
        inFlight.add(jobs, alone: false) { [configuration] in configuration.deadline(of: $0, now: platform_monotonic_ns()) }
        for job in jobs { await run([job]) }
    }

    /// Runs the jobs of one call.
    func run(_ jobs: [ClaimedJob]) async {
        inFlight.beginCall(of: jobs[0].route.provider, now: platform_monotonic_ns())
        await runner.run(jobs)
    }

    /// Claims and runs one call. Returns how many calls of the provider came of it.
    @discardableResult
    func round() async throws -> Int {
        let before = provider.calls.count
        let jobs = try await claim()
        if !jobs.isEmpty { await run(jobs) }
        return provider.calls.count - before
    }

    /// A day passes, and what waited for it is ready.
    func nextDay() async throws {
        later.add(86_400_000)
        _ = try await store.maintenance.promote()
    }

    /// A person cancels jobs, and the worker hears of it.
    func cancel(_ ids: [Int64]) async throws {
        _ = try await store.jobs.cancel(ids: ids)
        let request = ClaimRequest(worker: registration.id, queues: nil, providers: [], slots: 0, lease: 60_000, isIdle: false)
        for lease in try await store.claims.claim(request).cancellations { inFlight.stop(lease, .cancelled) }
    }

    func states(_ ids: [Int64]) throws -> [JobState?] {
        let states = try store.jobs.states(of: ids)
        return ids.map { states[$0] }
    }

    /// The calls that the worker has noted as begun.
    var begunCalls: Set<Int64> { store.locks.begunCalls(of: registration.id) ?? [] }

    /// How many of the jobs are in which state.
    func counts(_ ids: [Int64]) throws -> [JobState: Int] {
        try store.jobs.states(of: ids).values.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    func int(_ sql: String) throws -> Int { Int(try store.read { try $0.statement(building: sql).number() } ?? 0) }
}

/// How far the store's wall clock is ahead.
private final class Later: Sendable {
    private let stored = Mutex<Int64>(0)
    var milliseconds: Int64 { stored.withLock { $0 } }
    func add(_ milliseconds: Int64) { stored.withLock { $0 += milliseconds } }
}

/// Runs a test on a fresh bench, and has the store checked after it.
func withBench(
    _ provider: ScriptedProvider = ScriptedProvider(), planner: (any RunPlanner)? = nil,
    _ configure: (inout WorkerConfiguration) -> Void = { _ in },
    _ body: (Bench) async throws -> Void
) async throws {
    let bench = try await Bench(provider, planner, configure)
    defer { try? FileManager.default.removeItem(atPath: bench.folder) }
    defer { bench.store.close() }
    try await body(bench)
    #expect(try bench.store.maintenance.check().faults == [])
    #expect(bench.inFlight.count == 0 && bench.inFlight.calls == 0)
}
