import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Synchronization
import Testing

extension ReliabilityTests {
    /// Workers are killed at any moment, and started again: nothing acknowledged is lost, and nothing is answered twice. (Which
    /// moments those are is the machine's doing: a run has no seed that repeats it.)
    @Suite struct KillStormTests {
        private static let kills = ProcessInfo.processInfo.environment["AGENT_QUEUE_LONG_TESTS"] == nil ? 110 : 500

        /// What was acknowledged: the number each job asks about.
        private final class Acknowledged: Sendable {
            private let numbers = Mutex<[Int64: Int]>([:])
            var all: [Int64: Int] { numbers.withLock(\.self) }
            func add(_ id: Int64, _ number: Int) { numbers.withLock { $0[id] = number } }
        }

        @Test func everyAcknowledgedJobEndsOnce() async throws {
            let script = Script { .echo($0, after: .milliseconds(Int.random(in: 0...12))) }
            try await withScene(script, configuration: "worker: { concurrency: 3 }") { scene in
                let acknowledged = Acknowledged()
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
                try await until("all have signed on") { try scene.store.maintenance.workers().count == 4 }
                for worker in scene.processes where worker.ending == nil {
                    worker.send(SIGTERM)
                    #expect(try await worker.end() == .exit(0))
                }
                try Self.check(scene, acknowledged.all)
            }
        }

        private static func storm(_ scene: Scene) async throws {
            var workers = try (0..<4).map { _ in try scene.startWorker() }
            for _ in 0..<kills {
                // A few more calls, wherever the workers are by then.
                try await scene.calls(scene.server.requests.count + Int.random(in: 0...12))
                let victim = workers.indices.randomElement()!
                workers[victim].send(SIGKILL)
                #expect(try await workers[victim].end() == .signal(SIGKILL))
                workers[victim] = try scene.startWorker()
            }
        }

        /// Enqueues whenever little is left to do.
        private static func produce(_ scene: Scene, _ acknowledged: Acknowledged) async throws {
            var number = 0
            while true {
                while try scene.open < 25 {
                    try Task.checkCancellation()
                    number += 1
                    let receipt = try await scene.store.jobs.enqueue(.with(.asking("\(number)")) { $0.maxAttempts = 50 })
                    acknowledged.add(receipt.id, number)
                }
                try await scene.calls(scene.server.requests.count + 1)
            }
        }

        /// Sees that a job's token only grows.
        private static func watchTokens(_ scene: Scene) async throws {
            var latest: [Int64: Int64] = [:]
            for await _ in scene.store.changes(of: .work) {
                for row in try scene.numbers("SELECT id, token FROM jobs WHERE state = 'running'") {
                    #expect(row[1] >= latest[row[0], default: 0], "job \(row[0])")
                    latest[row[0]] = row[1]
                }
            }
        }

        private static func check(_ scene: Scene, _ acknowledged: [Int64: Int]) throws {
            #expect(try scene.number("SELECT count(*) FROM jobs") == Int64(acknowledged.count))
            #expect(try scene.number("SELECT count(*) FROM results") == Int64(acknowledged.count))
            for (id, number) in acknowledged {
                let job = try scene.job(id)
                #expect(job.state == .completed, "job \(id)")
                #expect(job.result?.text == "echo \(number)", "job \(id)")
            }
            let lanes = try scene.store.jobs.lanes()
            #expect(lanes.map { $0.count(.completed) } == [acknowledged.count])
            // Every answer that was taken in was taken in once.
            #expect(lanes.map(\.calls) == [acknowledged.count])
            #expect(lanes.map(\.cacheAnswers) == [0])

            let leases = scene.server.requests.compactMap(\.lease)
            #expect(leases.count == scene.server.requests.count)
            #expect(Set(leases).count == leases.count, "two calls under one lease")
            // "TIME info job 17 completed scripted/m …"
            let lines: [Substring] = scene.processes.map(\.output).joined().split(separator: "\n")
            let logged = lines.filter { $0.contains(" completed scripted/m") }.map { $0.split(separator: " ")[3] }
            #expect(Set(logged).count == logged.count, "a job that completed twice")
            print("kill storm: \(acknowledged.count) jobs, \(leases.count) calls, \(kills) kills")
        }
    }
}

extension Scene {
    /// Jobs that have not ended.
    fileprivate var open: Int {
        get throws { try store.jobs.lanes().reduce(0) { $0 + $1.count(.available) + $1.count(.running) + $1.count(.retryable) } }
    }
}

extension NewJob {
    fileprivate static func with(_ job: NewJob, _ configure: (inout NewJob) -> Void) -> NewJob {
        var job = job
        configure(&job)
        return job
    }
}
