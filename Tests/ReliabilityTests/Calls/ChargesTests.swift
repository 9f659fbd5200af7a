import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Synchronization
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
                    try scene.store.jobs.lanes().reduce(0) { $0 + $1.count(.completed) } == Self.jobs
                }
                for worker in workers {
                    worker.send(SIGTERM)
                    #expect(try await worker.end() == .exit(0))
                }
                try Self.compare(provider, scene)
            }
        }

        /// Without any limit of money: nothing was reserved for the call.
        @Test func theCallOfAKilledWorkerMayHaveCostWhatItWasExpectedTo() async throws {
            let prices = "models:\n  scripted/m: { price: { input_per_mtok: 1, output_per_mtok: 1000 }, max_output_tokens: 100 }"
            try await withScene(Script { _ in .hang }, configuration: prices) { scene in
                try await scene.enqueue("a question") { $0.maxAttempts = 1 }
                let worker = try await scene.worker()
                try await scene.calls(1)
                worker.send(SIGKILL)
                #expect(try await worker.end() == .signal(SIGKILL))
                try await scene.worker()
                try await until("the call is doubtful") { try scene.store.maintenance.statistics().maybePaidCalls == 1 }
                let cost = try #require(try scene.store.maintenance.statistics().maybePaid)
                #expect(cost > 0.1 && cost < 0.11, "100 tokens of an answer, and a short prompt")
                let stats = try await scene.run("stats", "--json")
                #expect(try JSONValue.parse(stats.output)["maybe_paid"]?["usd"]?.number == cost)
            }
        }

        private static func compare(_ provider: ChargingServer, _ scene: Scene) throws {
            let charges = provider.charges
            let charged = charges.values.reduce(0, +)
            #expect(charges.values.allSatisfy { $0 == 1 }, "a lease that was charged for twice")
            let doubtful = try scene.store.providers.doubtfulCalls(limit: 10_000)
            // What was charged for beyond one call a job is all among what is said to be doubtful, job by job.
            var inVain: [Int64: Int] = [:]
            for lease in charges.keys { inVain[lease.jobID, default: -1] += 1 }
            var said: [Int64: Int] = [:]
            for call in doubtful { said[call.jobID, default: 0] += 1 }
            for (job, count) in inVain where count > 0 { #expect(said[job, default: 0] >= count, "job \(job)") }
            #expect(charged - jobs <= doubtful.count)
            let statistics = try scene.store.maintenance.statistics()
            #expect(statistics.maybePaidCalls == doubtful.count)
            // The spend shown is the sum of the rows.
            #expect(try scene.number("SELECT sum(calls) FROM charges WHERE outcome IN ('answered', 'fenced')") ?? 0 >= Int64(jobs))
            print("charges: \(charged) charged, \(jobs) answered, \(doubtful.count) doubtful; \(provider.kinds)")
        }
    }
}

/// A server that charges for its answers, and fails in every way that real ones do, some of them after it has charged. It knows
/// what it was asked by the idempotency key, which names job and lease.
final class ChargingServer: Sendable {
    private struct State {
        var generator: SystemRandomNumberGenerator = .init()
        var charges: [Lease: Int] = [:]
        var kinds: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// How often each lease was charged for.
    var charges: [Lease: Int] { state.withLock(\.charges) }
    /// How many answers of each kind were given.
    var kinds: [String: Int] { state.withLock(\.kinds) }

    /// Its answers: about two thirds good ones.
    var script: Script {
        Script { [self] request in
            let roll = state.withLock { Int.random(in: 0..<100, using: &$0.generator) }
            switch roll {
            case 0..<8:
                return note("429", ScriptedAnswer(429, headers: [("retry-after-ms", "40")], json: Self.error("rate_limit_exceeded")))
            case 8..<14: return note("529", ScriptedAnswer(529, json: Self.error("overloaded_error")))
            case 14..<20: return note("500", ScriptedAnswer(500, json: Self.error("server_error")))
            case 20..<24: return note("timeout", .hang)
            case 24..<28: return note("dropped", ScriptedAnswer(200, body: [], ending: .droppedUnanswered))
            case 28..<31:
                charge(request)
                return note("dropped after the charge", ScriptedAnswer(200, body: [], ending: .droppedUnanswered))
            default:
                charge(request)
                return note("answer", .echo(request, after: .milliseconds(Int.random(in: 1...30))))
            }
        }
    }

    private func charge(_ request: RecordedRequest) {
        guard let lease = request.lease else { return }
        state.withLock { $0.charges[lease, default: 0] += 1 }
    }

    private func note(_ kind: String, _ answer: ScriptedAnswer) -> ScriptedAnswer {
        state.withLock { $0.kinds[kind, default: 0] += 1 }
        return answer
    }

    private static func error(_ type: String) -> String {
        #"{"error": {"message": "not now", "type": "\#(type)", "param": null, "code": "\#(type)"}}"#
    }
}
