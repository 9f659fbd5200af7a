import AgentQueueModel
import AgentQueueTestSupport
import Dispatch
import Synchronization
import Testing

@testable import AgentQueueStore

/// Group commit.
@Suite struct WriterTests {
    /// Keeps the writer's thread busy until it is told to go on, so that what is submitted meanwhile is one group.
    private func hold(_ store: QueueStore) async throws -> (task: Task<Void, any Error>, release: @Sendable () -> Void) {
        let semaphore = DispatchSemaphore(value: 0)
        let (entered, signal) = AsyncStream<Void>.makeStream()
        let isFirst = Mutex(true)
        let task = Task {
            try await store.write { _ in
                signal.yield()
                let waits = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                if waits { semaphore.wait() }
            }
        }
        for await _ in entered { break }
        return (task, { semaphore.signal() })
    }

    /// In which transactions each operation ran.
    private final class RunLog: Sendable {
        private let runs = Mutex<[Int: [Int]]>([:])

        func note(_ index: Int, transaction: Int) { runs.withLock { $0[index, default: []].append(transaction) } }

        func runs(of index: Int) -> [Int] { runs.withLock { $0[index] ?? [] } }
    }

    private struct Odd: Error {}

    @Test func oneFailureLeavesTheOthersCommitted() async throws {
        try await withStore { f in
            let held = try await hold(f.store)
            let log = RunLog()
            // Submitted at once, in this order, before `release`: each of these runs up to its suspension.
            var tasks: [Task<Int64, any Error>] = []
            for index in 0..<40 {
                tasks.append(
                    Task.immediate { [store = f.store, clock = f.clock] in
                        try await store.write { transaction in
                            log.note(index, transaction: clock.wallReads)
                            let id = try transaction.enqueue(.with(.asking("\(index)")) { $0.batch = "b" }).id
                            switch index {
                            case 7: throw StoreError(.conflict, "seven")
                            case 8: throw Odd()
                            case 21: try transaction.statement("INSERT INTO queues (name) VALUES ('')").run()
                            case 39: _ = try transaction.enqueue(.with(.asking("x")) { $0.after = [1_000_000] })
                            default: break
                            }
                            return id
                        }
                    })
            }
            held.release()
            try await held.task.value
            var results: [Result<Int64, any Error>] = []
            for task in tasks { results.append(await task.result) }
            let failed = [7, 8, 21, 39]
            for (index, result) in results.enumerated() {
                switch result {
                case .success(let id):
                    #expect(!failed.contains(index))
                    #expect(try f.job(id).request.canonicalText.contains("\"\(index)\""))
                case .failure(let error):
                    #expect(failed.contains(index))
                    let error = try #require(error as? StoreError)
                    #expect(error.kind == (index == 7 || index == 39 ? .conflict : .internal))
                    if index == 7 { #expect(error.message == "seven") }
                }
            }
            #expect(Set(results.compactMap { try? $0.get() }).count == 36)
            // All in one transaction, the fifth: each failure ended one before it.
            #expect(Set((0..<40).filter { !failed.contains($0) }.map { log.runs(of: $0).last }).count == 1)
            #expect([0, 7, 8, 20, 21, 38, 39].map { log.runs(of: $0).count } == [5, 1, 1, 3, 1, 2, 1])
            #expect(try f.store.jobs.batch(named: "b")?.jobs == 36)
            #expect(try f.store.jobs.lanes().map { $0.count(.available) } == [36])
        }
    }

    @Test func manyTasksShareFewTransactions() async throws {
        try await withStore { f in
            let before = f.clock.wallReads
            let ids = try await withThrowingTaskGroup(of: Int64.self) { group in
                for index in 0..<2_000 { group.addTask { try await f.add(.asking("\(index)")) } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(ids.count == 2_000)
            #expect(f.clock.wallReads - before < 1_500)
            #expect(try f.count(of: "jobs") == 2_000)
        }
    }

    /// An error that ends the whole transaction (here: no page left) is answered to the operation that met it.
    @Test func aFullDatabaseFailsTheOperationThatFilledIt() async throws {
        try await withStore { f in
            let pages = try await f.store.write { transaction in
                let pages = try transaction.statement("PRAGMA page_count").first { $0.int64(0) } ?? 0
                _ = try transaction.statement(building: "PRAGMA max_page_count = \(pages + 40)").first { $0.int64(0) }
                return pages
            }
            #expect(pages > 0)
            let held = try await hold(f.store)
            let small = Task.immediate { try await f.store.jobs.enqueue(.asking("small")) }
            let large = Task.immediate { try await f.store.jobs.enqueue(.asking(String(repeating: "x", count: 1_000_000))) }
            let last = Task.immediate { try await f.store.jobs.enqueue(.asking("last")) }
            held.release()
            try await held.task.value
            #expect(try await small.value.state == .available)
            #expect(await storeError { _ = try await large.value }?.kind == .full)
            #expect(try await last.value.state == .available)
            _ = try await f.store.write { try $0.statement("PRAGMA max_page_count = 1000000").first { $0.int64(0) } }
            #expect(try f.count(of: "jobs") == 2)
            #expect(try await f.add() > 0)
        }
    }

    /// A COMMIT that cannot be: everyone is told, nothing stays, and the writer goes on.
    @Test func aCommitThatFailsIsAcknowledgedToNobody() async throws {
        try await withStore { f in
            let held = try await hold(f.store)
            let innocent = Task.immediate { try await f.store.jobs.enqueue(.asking("innocent")) }
            let guilty = Task.immediate {
                try await f.store.write { transaction in
                    let lane = try transaction.lane(queue: "default", target: Target("local/m")!, kind: .generate)
                    // A count below zero, which the table refuses at the end.
                    transaction.ledger.move(lane: lane, batch: nil, from: .retryable, to: .available)
                }
            }
            held.release()
            try await held.task.value
            #expect(await storeError { _ = try await innocent.value }?.kind == .internal)
            #expect(await storeError { try await guilty.value }?.kind == .internal)
            #expect(try f.count(of: "jobs") == 0)
            #expect(try await f.store.jobs.enqueue(.asking("innocent")).state == .available)
        }
    }

    /// Another process's lock is waited for; SQLITE_BUSY reaches no caller.
    @Test func anotherWritersLockIsWaitedFor() async throws {
        try await withStore { f in
            let raw = try f.raw()
            try raw.run("BEGIN IMMEDIATE")
            let before = f.clock.wallReads
            let write = Task.immediate { try await f.store.jobs.enqueue(.asking("x")) }
            try raw.run("INSERT INTO queues (name) VALUES ('theirs')")
            #expect(f.clock.wallReads == before, "no transaction of ours can have begun")
            try raw.run("COMMIT")
            #expect(try await write.value.state == .available)
        }
    }

    @Test func twoStoresTakeTurns() async throws {
        try await withStore { f in
            let other = try f.another()
            defer { other.close() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for store in [f.store, other] {
                    for task in 0..<8 {
                        group.addTask {
                            for index in 0..<25 { _ = try await store.jobs.enqueue(.asking("\(ObjectIdentifier(store)) \(task) \(index)")) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try f.count(of: "jobs") == 400)
        }
    }

    @Test func whatIsSubmittedIsCarriedOutBeforeTheEnd() async throws {
        try await withStore { f in
            let other = try f.another()
            let tasks = (0..<50).map { index in Task.immediate { try await other.jobs.enqueue(.asking("\(index)")) } }
            other.close()
            for task in tasks { #expect(try await task.value.state == .available) }
            #expect(await storeError { _ = try await other.jobs.enqueue(.asking("late")) }?.kind == .closed)
            #expect(throws: StoreError.self) { try other.jobs.lanes() }
            other.close()
            #expect(try f.count(of: "jobs") == 50)
        }
    }

    /// Checkpoints run as the log grows, and every row is still there.
    @Test func theLogIsCheckpointed() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let store = try QueueStore(path: path, options: StoreOptions(durability: .normal, checkpointPages: 20))
            for index in 0..<300 { _ = try await store.jobs.enqueue(.asking("\(index)")) }
            let statistics = try store.maintenance.statistics()
            #expect(statistics.walBytes < 1 << 20, "\(statistics.walBytes)")
            #expect(try store.maintenance.check().faults == [])
            store.close()
            let again = try QueueStore(path: path)
            #expect(try again.maintenance.statistics().count(.available) == 300)
            again.close()
        }
    }

    @Test(
        arguments: [
            (3_040_001, false), (3_044_005, false), (3_044_006, true), (3_044_999, true), (3_045_000, false), (3_050_006, false),
            (3_050_007, true), (3_050_999, true), (3_051_000, false), (3_051_002, false), (3_051_003, true), (3_053_000, true),
        ] as [(CInt, Bool)])
    func versionsWithTheWALResetFix(_ version: CInt, _ isFixed: Bool) {
        #expect(Checkpoints.hasWALResetFix(version) == isFixed)
    }
}
