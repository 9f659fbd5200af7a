import Foundation
import Glibc
import JobModel
import QueueStore
import TestSupport
import Testing

extension ReliabilityTests {
    /// Every call that a provider charged for is on record: as an answer, or as one that may have been paid for in vain.
    @Suite struct ChargesTests {
        private static let jobs = 300
        private static let kills = 20

        @Test func whatIsPaidInVainIsKnown() async throws {
            let provider = ChargingServer()
            // A breaker that never opens, for this provider fails by chance; a time out soon enough for a test.
            let configuration = "breaker: { failure_rate: 1, consecutive: 1000 }\nworker: { concurrency: 4 }"
            try await withScene(provider.script, configuration: configuration) { scene in
                for number in 0..<Self.jobs {
                    try await scene.enqueue("\(number)") {
                        $0.timeout = 400
                        $0.maxAttempts = 100
                    }
                }
                var workers = try (0..<4).map { _ in try scene.startWorker() }
                for kill in 0..<Self.kills {
                    try await scene.calls((kill + 1) * 12)
                    workers[kill % 4].send(SIGKILL)
                    #expect(try await workers[kill % 4].end() == .signal(SIGKILL))
                    workers[kill % 4] = try scene.startWorker()
                }
                try await until("every job is answered", within: .seconds(120)) {
                    try scene.store.lanes().reduce(0) { $0 + $1.count(.completed) } == Self.jobs
                }
                for worker in workers {
                    worker.send(SIGTERM)
                    #expect(try await worker.end() == .exit(0))
                }
                try Self.compare(provider, scene)
            }
        }

        private static func compare(_ provider: ChargingServer, _ scene: Scene) throws {
            let charges = provider.charges
            let charged = charges.values.reduce(0, +)
            #expect(charges.values.allSatisfy { $0 == 1 }, "a lease that was charged for twice")
            let doubtful = try scene.store.doubtfulCalls(limit: 10_000)
            // What was charged for beyond one call a job is all among what is said to be doubtful, job by job.
            var inVain: [Int64: Int] = [:]
            for lease in charges.keys { inVain[lease.jobID, default: -1] += 1 }
            var said: [Int64: Int] = [:]
            for call in doubtful { said[call.jobID, default: 0] += 1 }
            for (job, count) in inVain where count > 0 { #expect(said[job, default: 0] >= count, "job \(job)") }
            #expect(charged - jobs <= doubtful.count)
            let statistics = try scene.store.statistics()
            #expect(statistics.maybePaidCalls == doubtful.count)
            // The spend shown is the sum of the rows.
            #expect(try scene.number("SELECT sum(calls) FROM charges WHERE outcome IN ('answered', 'fenced')") ?? 0 >= Int64(jobs))
            print("charges: \(charged) charged, \(jobs) answered, \(doubtful.count) doubtful; \(provider.kinds)")
        }
    }
}
