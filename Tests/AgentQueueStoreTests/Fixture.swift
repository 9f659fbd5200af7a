import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Glibc
import Synchronization
import Testing

@testable import AgentQueueStore

/// A store over a real file in a folder of its own, with clocks that a test turns.
final class Fixture: Sendable {
    let folder: String
    let path: String
    let clock: TestClock
    let durability: Durability
    let store: QueueStore
    /// A worker of this process.
    let registration: WorkerRegistration
    var worker: Int64 { registration.id }

    fileprivate init(durability: Durability) async throws {
        folder = try Folder.make()
        path = folder + "/queue.db"
        clock = TestClock()
        self.durability = durability
        store = try QueueStore(path: path, options: StoreOptions(durability: durability, clock: clock.storeClock))
        registration = try await store.claims.registerWorker()
    }

    /// The same database, opened once more: as another process would, but for its locks.
    func another() throws -> QueueStore {
        try QueueStore(path: path, options: StoreOptions(durability: durability, clock: clock.storeClock))
    }

    func raw() throws -> RawConnection { try RawConnection(path) }

    /// How many rows a table has: for what the store itself tells no one.
    func count(of table: String) throws -> Int64 { try #require(try raw().int("SELECT count(*) FROM \(table)")) }

    /// The length of the database file in bytes, without what is only in the log.
    func fileLength() throws -> Int64 {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64)
    }

    // MARK: Shorthands

    @discardableResult func add(_ job: NewJob) async throws -> Int64 { try await store.jobs.enqueue(job).id }

    /// Adds a job whose answer no other's is.
    @discardableResult
    func add(_ name: String = UUID().uuidString, _ configure: (inout NewJob) -> Void = { _ in }) async throws -> Int64 {
        var job = NewJob.asking(name)
        configure(&job)
        return try await add(job)
    }

    func claim(
        _ slots: Int = 100, worker: Int64? = nil, queues: Set<String>? = nil, providers: Set<String> = ["local", "other"],
        lease: Int64 = 60_000, isIdle: Bool = true
    ) async throws -> [ClaimedJob] {
        try await round(slots, worker: worker, queues: queues, providers: providers, lease: lease, isIdle: isIdle).jobs
    }

    func round(
        _ slots: Int = 100, worker: Int64? = nil, queues: Set<String>? = nil, providers: Set<String> = ["local", "other"],
        lease: Int64 = 60_000, isIdle: Bool = true
    ) async throws -> ClaimRound {
        try await store.claims.claim(
            ClaimRequest(worker: worker ?? self.worker, queues: queues, providers: providers, slots: slots, lease: lease, isIdle: isIdle))
    }

    /// The worker's running jobs that are to be cancelled, as its next claim tells it.
    func cancellations(worker: Int64? = nil) async throws -> [Lease] {
        try await round(0, worker: worker).cancellations
    }

    /// Claims one job.
    func one(worker: Int64? = nil) async throws -> ClaimedJob { try #require(try await claim(1, worker: worker).first) }

    /// Notes that a job's call has begun, as its worker does: from then on the attempt counts.
    func begin(_ job: ClaimedJob) { _ = registration.calls?.begin(job: job.id) }

    /// Adds one job and claims it.
    func running(lease: Int64 = 60_000, worker: Int64? = nil, _ configure: (inout NewJob) -> Void = { _ in }) async throws -> ClaimedJob {
        let id = try await add { configure(&$0) }
        let jobs = try await claim(1, worker: worker, lease: lease)
        let job = try #require(jobs.first)
        #expect(job.id == id)
        return job
    }

    func complete(_ job: ClaimedJob, _ text: String = "yes", cacheFor timeToLive: Int64? = nil) async throws -> SettleResult {
        try await store.claims.settle(.answer(job, text, cacheFor: timeToLive))
    }

    @discardableResult
    func fail(_ job: ClaimedJob, _ failure: FailureClass = .retryable, retryAfter: Int64? = nil) async throws -> SettleResult {
        try await store.claims.settle(.failure(job, failure, retryAfter: retryAfter, now: clock.wall))
    }

    func state(_ id: Int64) throws -> JobState? { try store.jobs.states(of: [id])[id] }

    func states(_ ids: [Int64]) throws -> [JobState?] {
        let states = try store.jobs.states(of: ids)
        return ids.map { states[$0] }
    }

    func job(_ id: Int64) throws -> Job { try #require(try store.jobs.get(id)) }

    /// Carries out every cascade. Returns how many slices that took.
    @discardableResult
    func cascade(slice: Int = 200) async throws -> Int {
        var slices = 0
        while try await store.maintenance.cascade(slice: slice) { slices += 1 }
        return slices
    }

    /// A registered worker whose byte nobody holds: it has died.
    func deadWorker(bootID: String? = nil) throws -> Int64 {
        let raw = try raw()
        try raw.run("INSERT INTO workers (pid, boot_id, started_at) VALUES (1, '\(bootID ?? clock.bootID)', 0)")
        return try #require(try raw.int("SELECT max(id) FROM workers"))
    }

    /// Everything that is stored of a job's row.
    func row(_ id: Int64) throws -> [String] { try #require(try raw().rows("SELECT * FROM jobs WHERE id = \(id)").first) }
}

/// Runs a test on a fresh store, and has the store checked after it.
func withStore(durability: Durability = .full, _ body: (Fixture) async throws -> Void) async throws {
    let fixture = try await Fixture(durability: durability)
    defer { try? FileManager.default.removeItem(atPath: fixture.folder) }
    defer { fixture.store.close() }
    try await body(fixture)
    #expect(try fixture.store.maintenance.check().faults == [])
}

extension NewJob {
    /// A job with a request of its own.
    static func asking(_ name: String, of target: String = "local/m", kind: JobKind = .generate) -> NewJob {
        let request = ModelRequest(kind: kind, target: Target(target)!, body: ["messages": [["role": "user", "content": .string(name)]]])
        return NewJob(kind: kind, target: request.target, body: request.storedBody, digest: request.digest(identity: "test"))
    }
}

extension SettleRequest {
    static func answer(_ job: ClaimedJob, _ text: String = "yes", cacheFor timeToLive: Int64? = nil) -> SettleRequest {
        SettleRequest(
            job: job, settlement: Settlement(state: .completed),
            result: JobResult(
                reply: ["text": .string(text), "finish_reason": "stop"], usage: Usage(inputTokens: 10, outputTokens: 3), cost: 0.25,
                answeredBy: .provider, target: job.target.description, latency: 120),
            cache: timeToLive.map { CacheWrite(digest: job.digest, timeToLive: $0) })
    }

    static func failure(_ job: ClaimedJob, _ failure: FailureClass, retryAfter: Int64? = nil, now: Int64) -> SettleRequest {
        SettleRequest(
            job: job,
            settlement: .decide(
                .failed(failure, retryAfter: retryAfter), attempt: job.attempt, maxAttempts: job.maxAttempts, backoff: 4_000, now: now),
            error: JobError(attempt: job.attempt, at: now, failure: failure, message: "it failed"))
    }

    static func handBack(_ job: ClaimedJob, now: Int64) -> SettleRequest {
        SettleRequest(
            job: job, settlement: .decide(.handedBack, attempt: job.attempt, maxAttempts: job.maxAttempts, backoff: 0, now: now))
    }
}

/// What an operation throws.
func storeError(_ body: () async throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) async -> StoreError? {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
        return nil
    } catch let error as StoreError {
        return error
    } catch {
        Issue.record("not a StoreError: \(error)", sourceLocation: sourceLocation)
        return nil
    }
}

/// Clocks that stand still until a test turns them.
final class TestClock: Sendable {
    private struct State {
        var wall: Int64 = 1_795_305_600_000  // 2026-11-22T00:00:00Z
        var boot: Int64 = 5_000_000
        var bootID = "boot-1"
        var wallReads = 0
        var bootReads = 0
    }

    private let state = Mutex(State())

    /// Wall clock, ms since 1970.
    var wall: Int64 {
        get { state.withLock { $0.wall } }
        set { state.withLock { $0.wall = newValue } }
    }

    /// CLOCK_BOOTTIME, ms.
    var boot: Int64 {
        get { state.withLock { $0.boot } }
        set { state.withLock { $0.boot = newValue } }
    }

    var bootID: String {
        get { state.withLock { $0.bootID } }
        set { state.withLock { $0.bootID = newValue } }
    }

    /// How often the store has looked at the wall clock: once for each time a transaction begins.
    var wallReads: Int { state.withLock { $0.wallReads } }

    /// How often the store has looked at the boot clock.
    var bootReads: Int { state.withLock { $0.bootReads } }

    /// Time passes: on both clocks.
    func advance(_ milliseconds: Int64) {
        state.withLock {
            $0.wall += milliseconds
            $0.boot += milliseconds
        }
    }

    var storeClock: StoreClock {
        StoreClock(
            wall: { [self] in
                state.withLock {
                    $0.wallReads += 1
                    return $0.wall
                }
            },
            boot: { [self] in
                state.withLock {
                    $0.bootReads += 1
                    return $0.boot
                }
            }, bootID: { [self] in bootID })
    }
}
