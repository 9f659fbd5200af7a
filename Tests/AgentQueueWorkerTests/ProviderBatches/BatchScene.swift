import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Glibc
import Logging
import Synchronization
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// A store, a provider with a batch API, and clocks that stand still until a test turns them.
final class BatchScene: Sendable {
    let folder: String
    let store: QueueStore
    let provider: FakeBatchProvider
    let drains: Bool
    let policy: BatchPolicy
    /// A worker of this process, for claims.
    let worker: Int64

    static let minute: Int64 = 60_000
    static let hour: Int64 = 3_600_000

    fileprivate init(
        items: Int, namesLabels: Bool, drains: Bool, policy: BatchPolicy, refuses: @escaping @Sendable (BatchItem) -> Bool
    ) async throws {
        folder = try Folder.make()
        let clock = TurnedClock()
        store = try QueueStore(
            path: folder + "/queue.db",
            options: StoreOptions(
                durability: .normal, clock: StoreClock(wall: { clock.now }, boot: { clock.now - 1_000_000 }, bootID: { "boot" })))
        provider = FakeBatchProvider(items: items, namesLabels: namesLabels, now: { clock.now }, refuses: refuses)
        self.clock = clock
        self.drains = drains
        self.policy = policy
        worker = try await store.claims.registerWorker().id
    }

    private let clock: TurnedClock

    var now: Int64 { clock.now }

    func pass(_ milliseconds: Int64) { clock.pass(milliseconds) }

    func close() {
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    var configuration: WorkerConfiguration {
        var configuration = WorkerConfiguration(
            cacheTimeToLive: 1_000_000_000, backoff: Backoff(base: 1_000, cap: 1_000),
            prices: ["local/m": ModelPrice(input: 1, output: 1)], drains: drains)
        configuration.batchPolicies = ["local": policy]
        return configuration
    }

    // MARK: Jobs

    /// Adds a job that waits for a batch.
    @discardableResult
    func add(_ text: String, _ configure: (inout NewJob) -> Void = { _ in }) async throws -> Int64 {
        let target = try #require(Target("local/m"))
        let request = ModelRequest(kind: .generate, target: target, body: ["messages": [["role": "user", "content": .string(text)]]])
        var job = NewJob(kind: .generate, target: target, body: request.storedBody, digest: request.digest(identity: "fake"))
        job.usesBatchAPI = true
        configure(&job)
        return try await store.jobs.enqueue(job).id
    }

    func add(_ texts: [String]) async throws -> [Int64] {
        var ids: [Int64] = []
        for text in texts { ids.append(try await add(text)) }
        return ids
    }

    /// Claims, which turns jobs aside; what comes back is to be called for alone.
    @discardableResult
    func claim(_ policies: CallPolicies = CallPolicies()) async throws -> [ClaimedJob] {
        var request = ClaimRequest(
            worker: worker, queues: nil, providers: ["local"], slots: 5, lease: 60_000, isIdle: true, policies: policies)
        request.batchCapacities = BatchDriver.capacities(of: [provider])
        return try await store.claims.claim(request).jobs
    }

    /// Calls for jobs alone, and settles them.
    func run(_ jobs: [ClaimedJob]) async throws {
        for job in jobs {
            if job.isCached, try await store.claims.settleFromCache(job) != nil { continue }
            guard case .reply(let reply)? = await provider.respond(to: [try ModelRequest(job)], CallOptions(timeout: 1_000)).first else {
                let settlement = Settlement(state: .discarded)
                let error = JobError(attempt: job.attempt, at: now, failure: .permanent, message: "it failed")
                _ = try await store.claims.settle(SettleRequest(job: job, settlement: settlement, error: error))
                continue
            }
            let result = JobResult(reply: reply.json, usage: reply.usage, cost: 1, answeredBy: .provider, target: "local/m", latency: 1)
            _ = try await store.claims.settle(
                SettleRequest(
                    job: job, settlement: Settlement(state: .completed), result: result,
                    cache: job.useCache ? CacheWrite(digest: job.digest, timeToLive: 1_000_000_000) : nil,
                    call: CallReport(target: job.target, usage: reply.usage, cost: 1)))
        }
    }

    func job(_ id: Int64) throws -> Job { try #require(try store.jobs.get(id)) }

    func states(_ ids: [Int64]) throws -> [JobState?] {
        let states = try store.jobs.states(of: ids)
        return ids.map { states[$0] }
    }

    func text(_ id: Int64) throws -> String? { try job(id).result?.reply["text"]?.string }

    // MARK: Batches

    /// Looks after the batches, as a worker of which no one knows whether it lives: others may go on after it at once.
    /// - Parameter interrupt: what it throws ends all as if the process had died.
    @discardableResult
    func drive(interrupt: @escaping @Sendable (StaticString) throws -> Void = { _ in }) async throws -> Int64? {
        let driver = try await driver(interrupt: interrupt)
        do {
            let next = try await driver.advance(provider)
            // As upkeep does.
            while try await store.maintenance.fanOut() {}
            return next
        } catch is BatchInterruption {
            return nil
        }
    }

    /// - Parameter lives: whether its worker is known to live, so that its lease holds.
    func driver(
        lives: Bool = false, interrupt: @escaping @Sendable (StaticString) throws -> Void = { _ in }
    ) async throws -> BatchDriver {
        let worker =
            if lives { try await store.claims.registerWorker().id } else {
                try await store.write { transaction in
                    try transaction.statement("INSERT INTO workers (pid, boot_id, started_at) VALUES (1, 'boot', 0)").insertedID() ?? 0
                }
            }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var driver = BatchDriver(
            store: store, providers: [provider], configuration: configuration, worker: worker, logger: logger, report: { _ in })
        driver.interrupt = interrupt
        return driver
    }

    /// Dies at the n-th time that it could.
    static func dying(at count: Int) -> @Sendable (StaticString) throws -> Void {
        let left = Counted(count)
        return { _ in if left.down() == 0 { throw BatchInterruption() } }
    }

    func batches() throws -> [ProviderBatchSummary] { try store.providerBatches.list() }

    func open() throws -> ProviderBatch { try #require(try store.providerBatches.open(of: "local").first) }

    /// Makes batches come and go until every job has ended.
    func finish(_ ids: [Int64]) async throws {
        for _ in 0..<200 {
            _ = try await store.maintenance.promote()
            try await run(try await claim())
            try await drive()
            await provider.finish()
            pass(Self.minute)
            if try states(ids).allSatisfy({ $0?.isFinal == true }) { break }
        }
        // What is left of batches whose jobs have all ended.
        for _ in 0..<20 {
            await provider.finish()
            pass(5 * Self.minute)
            try await drive()
        }
    }
}

/// A number that is counted down from several tasks.
final class Counted: Sendable {
    private let value: Mutex<Int>

    init(_ value: Int) { self.value = Mutex(value) }

    func down() -> Int {
        value.withLock { value in
            value -= 1
            return value
        }
    }
}

private final class TurnedClock: Sendable {
    private let time = Mutex<Int64>(1_795_305_600_000)

    var now: Int64 { time.withLock { $0 } }

    func pass(_ milliseconds: Int64) { time.withLock { $0 += milliseconds } }
}

/// Runs a test on a fresh store, and has the store checked after it.
/// - Parameter text: what no batch of the provider takes.
func withScene(
    items: Int = 100, namesLabels: Bool = true, drains: Bool = false, policy: BatchPolicy = BatchPolicy(),
    refusing text: String? = nil, _ body: (BatchScene) async throws -> Void
) async throws {
    let scene = try await BatchScene(
        items: items, namesLabels: namesLabels, drains: drains, policy: policy, refuses: { FakeBatchProvider.text(of: $0) == text })
    defer { scene.close() }
    try await body(scene)
    #expect(try scene.store.maintenance.check().faults == [])
}
