import AgentQueueModel
import AgentQueueTestSupport
import Foundation

@testable import AgentQueueStore

/// Random sequences of everything the store can do, beside the reference model. One store serves many sequences, each of
/// which finds it empty and leaves it empty.
final class ModelRun {
    /// Where store and model part.
    struct Mismatch: Error {
        var text: String
    }

    let folder: String
    let clock = TestClock()
    let store: QueueStore
    let stored: StoredQueue
    let heartbeat: Heartbeat

    // One sequence.
    var steps: [String] = []
    var generator = SeededGenerator(seed: 0)
    var model = ReferenceQueue()
    var workers: [ReferenceWorker] = []
    var claims: [ClaimedJob] = []
    var lastToken: Int64 = 0
    var firstID: Int64 = 0
    var lastID: Int64 = 0
    /// Completions that were acknowledged, by job and life: a job that completed once is never acknowledged again.
    var completions: Set<Int64> = []
    /// Whether once so many ask the same that their answer lands in slices.
    var hasCrowd = false

    static let targets = ["local/a", "local/b", "other/a"]
    static let queues = ["q0", "q1"]
    static let start: Int64 = 1_795_305_600_000

    init() async throws {
        folder = try Folder.make()
        store = try QueueStore(path: folder + "/q.db", options: StoreOptions(durability: .normal, clock: clock.storeClock))
        // The lanes, always in the same order.
        for queue in Self.queues {
            for target in Self.targets { _ = try await store.jobs.enqueue(.with(.asking("lane", of: target)) { $0.queue = queue }) }
        }
        _ = try await store.jobs.cancel(where: JobFilter())
        _ = try await store.jobs.delete(where: JobFilter())
        stored = try StoredQueue(folder + "/q.db")
        heartbeat = try Heartbeat(store)
    }

    func close() {
        heartbeat.close()
        store.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs one sequence.
    func run(seed: UInt64, checks: Bool) async throws {
        generator = SeededGenerator(seed: seed)
        steps = []
        model = ReferenceQueue()
        model.lanes = Self.queues.flatMap { queue in Self.targets.map { queue + " " + $0 } }
        workers = []
        claims = []
        completions = []
        hasCrowd = chance(2)
        clock.wall = Self.start
        clock.boot = 1_000_000
        clock.bootID = "boot-\(seed)-0"
        model.wall = Self.start
        try stored.forgetServed()
        lastToken = try stored.counts().token
        firstID = 0
        try await register()
        for _ in 0..<random(20...40) {
            try await step()
            try compare()
        }
        if checks { try check() }
        try await drain()
    }

    // MARK: Chance

    func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    func chance(_ percent: Int) -> Bool { random(1...100) <= percent }
    func pick<T>(_ values: [T]) -> T? { values.isEmpty ? nil : values[random(0...values.count - 1)] }
    func jobName(_ id: Int64) -> String { firstID == 0 || id < firstID ? "j?" : "j\(id - firstID + 1)" }
    func note(_ text: String) { steps.append(text) }

    func expect(_ isSo: Bool, _ text: @autoclosure () -> String) throws {
        guard isSo else { throw Mismatch(text: text()) }
    }

    /// A job of the sequence, or now and then one that never was.
    func anyJob() -> Int64 {
        chance(2) || model.jobs.isEmpty ? 9_000_000_000 : model.ordered[random(0...model.jobs.count - 1)].id
    }

    func step() async throws {
        switch random(1...100) {
        case ...22: try await enqueue()
        case ...40: try await claim()
        case ...60: try await settle()
        case ...63: try beat()
        case ...70: try await change(.cancel)
        case ...75: try await change(.retry)
        case ...77: try await change(.delete)
        case ...80: try await cascade()
        case ...82: try await fanOut()
        case ...86: try await rescue()
        case ...89: try await promote()
        case ...91: try await expire()
        case ...92: try await prune()
        case ...93: try await pause()
        case ...95: try await workersChange()
        default: turnClocks()
        }
    }
}
