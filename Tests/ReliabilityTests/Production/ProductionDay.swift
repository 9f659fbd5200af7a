import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Synchronization
import Testing

/// A queue in production: four workers, two providers, and programs that add jobs, while clocks, disks and processes fail. It knows what
/// was promised to those who added jobs, and what became of it.
final class ProductionDay: Sendable {
    /// How a job ended, as it stood when it was first seen so.
    struct End: Sendable, Equatable {
        var state: JobState
        var attempt: Int
        var text: String?
        var timeouts: Int
    }

    /// What the first worker holds.
    struct Sample: Sendable {
        var at: Double
        var anonymousKiB: Int
        var descriptors: Int
    }

    struct State: Sendable {
        var workers: [ChildProcess] = []
        /// The prompt of each job whose ID a command printed before it ended with 0.
        var acknowledged: [Int64: String] = [:]
        /// Commands that said that the disk is full.
        var refusals = 0
        var prompts = 0
        /// What killed workers had under way.
        var killed: Set<Lease> = []
        var kills = 0
        var ends: [Int64: End] = [:]
        /// Jobs that ended again, or otherwise, after they had ended.
        var changed: Set<Int64> = []
        var samples: [Sample] = []
        /// After each prune: the bytes of database and log, and how many they may be.
        var sizes: [(bytes: Int, bound: Int)] = []
        var isOver = false
    }

    let scene: Scene
    let providers: DayProviders
    private let clock: ShiftedClock?
    private let disk: SmallDisk?
    /// In ms.
    private let lease: Int64
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    init(_ scene: Scene, _ providers: DayProviders, clock: ShiftedClock?, disk: SmallDisk?, lease: Int64) {
        self.scene = scene
        self.providers = providers
        self.clock = clock
        self.disk = disk
        self.lease = lease
    }

    /// What has come of it so far.
    var record: State { state.withLock(\.self) }
    private var environment: [String: String] { clock?.environment ?? [:] }

    /// Starts the workers, and adds jobs while `events` happen; returns when every job has ended and every worker too.
    func run(_ events: () async throws -> Void) async throws {
        for _ in 0..<4 {
            let worker = try await startWorker()
            state.withLock { $0.workers.append(worker) }
        }
        try await withThrowingTaskGroup { group in
            group.addTask { [self] in try await produce() }
            try await events()
            providers.calm()
            state.withLock { $0.isOver = true }
            try await group.waitForAll()
        }
        try await until("every job has ended", within: .seconds(60)) { try scene.open == 0 }
        try recordEnds()
        for worker in record.workers {
            worker.send(SIGTERM)
            #expect(try await worker.end() == .exit(0))
        }
    }

    // MARK: Jobs

    /// Adds jobs whenever few are left.
    private func produce() async throws {
        while !record.isOver {
            if try scene.open < 60 {
                try await enqueue(count: 20)
                try sample()
            } else {
                try await scene.server.waitForRequests(scene.server.requests.count + 1)
            }
        }
    }

    /// Adds jobs as users do, half of them to each provider. A full disk may refuse them, all or none.
    /// - Returns: whether they were added.
    @discardableResult
    private func enqueue(count: Int, length: Int = 100) async throws -> Bool {
        let numbers = state.withLock { state in
            state.prompts += count
            return (state.prompts - count)..<state.prompts
        }
        let prompts = numbers.map { "\($0) ".padding(toLength: length, withPad: "why? ", startingAt: 0) }
        let lines = prompts.enumerated().map { number, prompt in
            let line: JSONValue = [
                "prompt": .string(prompt), "model": .string(number % 2 == 0 ? "scripted/m" : "flaky/m"), "max_attempts": 50,
                "timeout": "8s",
            ]
            return line.text + "\n"
        }
        let file = scene.folder + "/jobs-\(numbers.lowerBound).jsonl"
        try lines.joined().write(toFile: file, atomically: true, encoding: .utf8)
        defer { unlink(file) }
        let (ending, output) = try await scene.run(["enqueue", "--jsonl", file, "--print-ids"], environment: environment)
        let ids = output.split(separator: "\n").compactMap { Int64($0) }
        if ending == .exit(0) {
            #expect(ids.count == count, "\(output)")
            state.withLock { state in for (id, prompt) in zip(ids, prompts) { state.acknowledged[id] = prompt } }
        } else {
            #expect(ending == .exit(74), "\(output)")
            #expect(ids.isEmpty, "\(output)")
            state.withLock { $0.refusals += 1 }
        }
        return ending == .exit(0)
    }

    /// Takes down what has ended, and that what had ended before has not changed.
    private func recordEnds() throws {
        let known = record.ends
        for row in try scene.numbers("SELECT id, state = 'completed', attempt FROM jobs WHERE finalized_at IS NOT NULL") {
            if let end = known[row[0]] {
                if (end.state == .completed) != (row[1] == 1) || end.attempt != Int(row[2]) {
                    state.withLock { _ = $0.changed.insert(row[0]) }
                }
                continue
            }
            let job = try scene.job(row[0])
            let timeouts = job.errors.count { $0.failure == .timedOut }
            let end = End(state: job.state, attempt: Int(job.attempt), text: job.result?.text, timeouts: timeouts)
            state.withLock { $0.ends[row[0]] = end }
        }
    }

    // MARK: What happens to it

    /// Waits until so many more calls are answered.
    func answers(_ count: Int) async throws {
        let target = providers.charges.count + count
        try await until("\(count) more calls are answered", within: .seconds(60)) { providers.charges.count >= target }
    }

    /// Sets the wall clock of all programs; what waits for another attempt must go on, whichever way the clock went.
    func setClock(ahead seconds: Int) async throws {
        guard let clock else { return }
        let remaining = Mutex<Set<[Int64]>>([])
        try await until("three jobs wait for another attempt", within: .seconds(60)) {
            let waiting = try waiting()
            remaining.withLock { $0 = waiting }
            return waiting.count >= 3
        }
        try clock.set(ahead: seconds)
        try await until("what waited when the clock was set has gone on", within: .seconds(60)) {
            let waiting = try waiting()
            return remaining.withLock { remaining in
                remaining.formIntersection(waiting)
                return remaining.isEmpty
            }
        }
    }

    /// The jobs that wait for another attempt, each with the number of its last one.
    private func waiting() throws -> Set<[Int64]> { Set(try scene.numbers("SELECT id, attempt FROM jobs WHERE state = 'retryable'")) }

    /// Kills a worker, and starts another.
    /// - Parameter isDiskFull: whether the other can sign on only when there is room again.
    func kill(_ index: Int, isDiskFull: Bool = false) async throws {
        let victim = record.workers[index]
        try await until("worker \(index) has calls under way", within: .seconds(60)) { try scene.leases(of: victim).count >= 2 }
        let leases = try await scene.kill(victim)
        state.withLock { state in
            state.killed.formUnion(leases)
            state.kills += 1
        }
        let worker = isDiskFull ? try scene.startWorker("--concurrency", "4", environment: environment) : try await startWorker()
        state.withLock { $0.workers[index] = worker }
    }

    /// Ends a worker as a service manager does, and starts another.
    func restart(_ index: Int) async throws {
        let worker = record.workers[index]
        worker.send(SIGTERM)
        #expect(try await worker.end() == .exit(0))
        let next = try await startWorker()
        state.withLock { $0.workers[index] = next }
    }

    private func startWorker() async throws -> ChildProcess {
        try await scene.worker("--concurrency", "4", environment: environment)
    }

    /// Fills the disk for longer than a lease holds, when calls are under way whose answers find no room; they must be kept until there is.
    /// - Parameter meanwhile: what else happens before that.
    func fillDisk(_ meanwhile: () async throws -> Void = {}) async throws {
        guard let disk else { return }
        providers.hold()
        try await until("calls are under way", within: .seconds(60)) { providers.held.count >= 4 }
        try disk.fill()
        // The log and the database have some room yet.
        for count in [20, 1] { while try await enqueue(count: count, length: 20_000) {} }
        providers.release()
        try await meanwhile()
        let clock = scene.store.clock
        let end = clock.boot() + 2 * lease
        try await until("all leases would have ended") { clock.boot() > end }
        let stalled = try running().intersection(providers.held)
        #expect(!stalled.isEmpty)
        disk.free()
        try await until("what stood still has gone on", within: .seconds(60)) { try stalled.isDisjoint(with: running()) }
    }

    private func running() throws -> Set<Lease> {
        Set(try scene.numbers("SELECT id, token FROM jobs WHERE state = 'running'").map { Lease(jobID: $0[0], token: $0[1]) })
    }

    /// Prunes as cron does, and measures what is left.
    func prune(olderThan age: String) async throws {
        // Nothing is removed that was not seen to end: what ends from here on is younger.
        try recordEnds()
        let (ending, output) = try await scene.run(["prune", "--older-than", age, "--vacuum", "--json"], environment: environment)
        #expect(ending == .exit(0), "\(output)")
        let files = [scene.database, scene.database + "-wal"]
        let bytes = try files.map { try (FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int) ?? 0 }.reduce(0, +)
        // Twice what is stored, a call's charge (kept for 90 days), and a log.
        let stored = try scene.number(
            """
            SELECT (SELECT coalesce(sum(length(body)), 0) FROM requests) + (SELECT coalesce(sum(length(reply)), 0) FROM results)
                + 1000 * (SELECT count(*) FROM jobs)
            """)
        let charges = try scene.number("SELECT count(*) FROM charges")
        state.withLock { $0.sizes.append((bytes, 6 << 20 + 2 * Int(stored ?? 0) + 200 * Int(charges ?? 0))) }
    }

    /// Measures the first worker, which is never replaced.
    private func sample() throws {
        guard let worker = record.workers.first, worker.ending == nil else { return }
        let process = "/proc/\(worker.pid)"
        let memory = try String(contentsOfFile: process + "/smaps_rollup", encoding: .utf8)
        let line = memory.split(separator: "\n").first { $0.hasPrefix("Anonymous:") }
        let anonymous = line?.split(separator: " ").compactMap { Int($0) }.first ?? 0
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: process + "/fd").count
        let at = (ContinuousClock.now - start) / .seconds(1)
        state.withLock { $0.samples.append(Sample(at: at, anonymousKiB: anonymous, descriptors: descriptors)) }
    }
}

extension Scene {
    /// Jobs that have not ended.
    fileprivate var open: Int { get throws { try JobState.allCases.filter { !$0.isFinal }.reduce(0) { $0 + (try count($1)) } } }
}
