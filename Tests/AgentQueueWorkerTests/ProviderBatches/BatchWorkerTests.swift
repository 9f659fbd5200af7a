import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Logging
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// A whole worker, on the machine's clocks.
@Suite struct BatchWorkerTests {
    private func withWorker(
        drains: Bool,
        _ body: @Sendable (QueueStore, FakeBatchProvider, Worker, @escaping @Sendable () -> [JobEvent]) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "/aq-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try QueueStore(path: folder + "/queue.db", options: StoreOptions(durability: .normal))
        defer { store.close() }
        let provider = FakeBatchProvider(now: { StoreClock.system.wall() })
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let events = Recorder<JobEvent>()
        var configuration = WorkerConfiguration(concurrency: 2, drains: drains)
        configuration.batchPolicies = ["local": BatchPolicy(linger: 30, poll: 40)]
        let worker = Worker(store: store, providers: [provider], configuration: configuration, logger: logger) { events.add($0) }
        try await body(store, provider, worker) { events.all }
        #expect(try store.maintenance.check().faults == [])
        #expect(try store.providerBatches.open(of: "local").allSatisfy { $0.owner == nil }, "every lease is given back")
    }

    private func add(_ text: String, to store: QueueStore, batched: Bool = true) async throws -> Int64 {
        let target = Target(provider: "local", model: "m")
        let request = ModelRequest(kind: .generate, target: target, body: ["messages": [["role": "user", "content": .string(text)]]])
        var job = NewJob(kind: .generate, target: target, body: request.storedBody, digest: request.digest(identity: "fake"))
        job.usesBatchAPI = batched
        return try await store.jobs.enqueue(job).id
    }

    @Test func aDrainingWorkerEndsWithItsBatches() async throws {
        try await withWorker(drains: true) { store, provider, worker, events in
            var ids: [Int64] = []
            for index in 0..<5 { ids.append(try await add("q\(index)", to: store)) }
            let live = try await add("live", to: store, batched: false)
            try await within(.seconds(30), "the worker ends") {
                try await withThrowingTaskGroup { group in
                    group.addTask { try await worker.run() }
                    group.addTask {
                        while await provider.batches.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                        await provider.finish()
                    }
                    try await group.waitForAll()
                }
            }
            let states = try store.jobs.states(of: ids + [live])
            #expect(states.values.allSatisfy { $0 == .completed } && states.count == 6)
            #expect(await provider.batches.map(\.items.count) == [5])
            #expect(worker.progress.completed == 6 && events().count == 6)
        }
    }

    @Test func aWorkerThatIsStoppedGivesItsBatchesBack() async throws {
        try await withWorker(drains: false) { store, provider, worker, _ in
            let id = try await add("q", to: store)
            try await within(.seconds(30), "the worker ends") {
                try await withThrowingTaskGroup { group in
                    group.addTask { try await worker.run() }
                    while await provider.count(.get) < 2 { try await Task.sleep(for: .milliseconds(5)) }
                    worker.beginShutdown()
                    try await group.waitForAll()
                }
            }
            #expect(try store.jobs.states(of: [id])[id] == .pending)
            #expect(try store.providerBatches.list().map(\.state) == [.submitted])
        }
    }
}
