import GRDB
import Glibc
import JobModel
import Synchronization
import TestSupport
import Testing

@testable import QueueStore

extension ReliabilityTests {
    /// Workers are killed at any moment, and started again: nothing acknowledged is lost, and nothing is answered twice. (Which
    /// moments those are is the machine's doing: a run has no seed that repeats it.)
    @Suite struct KillStormTests {
        private static let kills = 110

        /// What was acknowledged: the number each job asks about.
        private typealias Acknowledged = Mutex<[Int64: Int]>

        @Test func everyAcknowledgedJobEndsOnce() async throws {
            let script = Script { .echo($0, after: .milliseconds(Int.random(in: 0...12))) }
            try await withScene(script, configuration: "worker: { concurrency: 3 }") { scene in
                let acknowledged = Acknowledged([:])
                try await withThrowingTaskGroup { group in
                    group.addTask { try await Self.produce(scene, acknowledged) }
                    group.addTask { try await Self.watchTokens(scene) }
                    try await Self.storm(scene)
                    group.cancelAll()
                    while let result = await group.nextResult() {
                        if case .failure(let error) = result, !(error is CancellationError) { throw error }
                    }
                }
                try await until("everything has ended", within: .seconds(60)) { try scene.open == 0 }
                for worker in scene.processes where worker.ending == nil {
                    worker.send(SIGTERM)
                    #expect(try await worker.end() == .exit(0))
                }
                try Self.check(scene, acknowledged.withLock(\.self))
            }
        }

        private static func storm(_ scene: Scene) async throws {
            var workers = try (0..<4).map { _ in try scene.startWorker() }
            for _ in 0..<kills {
                // A few more calls, wherever the workers are by then.
                try await scene.calls(scene.server.requests.count + Int.random(in: 0...6))
                let victim = workers.indices.randomElement()!
                workers[victim].send(SIGKILL)
                #expect(try await workers[victim].end() == .signal(SIGKILL))
                workers[victim] = try scene.startWorker()
            }
        }

        /// Enqueues whenever little is left to do.
        private static func produce(_ scene: Scene, _ acknowledged: borrowing Acknowledged) async throws {
            var number = 0
            while true {
                while try scene.open < 25 {
                    number += 1
                    let receipt = try await scene.store.enqueue(.with(.asking("\(number)")) { $0.maxAttempts = 50 })
                    acknowledged.withLock { $0[receipt.id] = number }
                }
                try await scene.calls(scene.server.requests.count + 1)
            }
        }

        /// Sees that a job's token only grows.
        private static func watchTokens(_ scene: Scene) async throws {
            var latest: [Int64: Int64] = [:]
            for await _ in scene.store.changes(of: .work) {
                let running = try scene.store.read { database in
                    try Row.fetchAll(database, sql: "SELECT id, token FROM jobs WHERE state = 'running'").map { ($0[0] as Int64, $0[1] as Int64) }
                }
                for (id, token) in running {
                    #expect(token >= latest[id, default: 0], "job \(id)")
                    latest[id] = token
                }
            }
        }

        private static func check(_ scene: Scene, _ acknowledged: [Int64: Int]) throws {
            let (jobs, results) = try scene.store.read { database in
                (try Int.fetchOne(database, sql: "SELECT count(*) FROM jobs"), try Int.fetchOne(database, sql: "SELECT count(*) FROM results"))
            }
            #expect(jobs == acknowledged.count)
            #expect(results == acknowledged.count)
            for (id, number) in acknowledged {
                let job = try scene.job(id)
                #expect(job.state == .completed, "job \(id)")
                #expect(job.result?.text == "echo \(number)", "job \(id)")
            }
            let lanes = try scene.store.lanes()
            #expect(lanes.map { $0.count(.completed) } == [acknowledged.count])
            // Every answer that was taken in was taken in once.
            #expect(lanes.map(\.calls) == [acknowledged.count])
            #expect(lanes.map(\.cacheAnswers) == [0])

            let leases = scene.server.requests.compactMap(\.lease)
            #expect(leases.count == scene.server.requests.count)
            #expect(Set(leases).count == leases.count, "two calls under one lease")
            let logged = scene.processes.flatMap { $0.output.split(separator: "\n") }.filter { $0.contains(" completed scripted/m") }
                .compactMap { $0.split(separator: " ").dropFirst(2).first }
            #expect(Set(logged).count == logged.count, "a job that completed twice")
            print("kill storm: \(acknowledged.count) jobs, \(leases.count) calls, \(kills) kills")
        }
    }
}

extension Scene {
    /// Jobs that have not ended.
    fileprivate var open: Int {
        get throws { try store.lanes().reduce(0) { $0 + $1.count(.available) + $1.count(.running) + $1.count(.retryable) } }
    }
}

extension NewJob {
    fileprivate static func with(_ job: NewJob, _ configure: (inout NewJob) -> Void) -> NewJob {
        var job = job
        configure(&job)
        return job
    }
}
