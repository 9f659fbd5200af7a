import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// Identical questions are paid for once, whoever asks, in however many processes.
    @Suite struct CoalescingTests {
        /// A breaker that never opens: these providers fail on purpose.
        private static let patient = "breaker: { failure_rate: 1, consecutive: 1000 }"
        private static let jobs = 1_000
        private static let prompts = 100

        private static func enqueue(_ scene: Scene) async throws {
            // Identical ones side by side, and far apart.
            let order = (0..<jobs).map { $0 < jobs / 2 ? $0 / (jobs / 2 / prompts) : $0 % prompts }
            for start in stride(from: 0, to: jobs, by: 250) {
                _ = try await scene.store.jobs.enqueue(
                    order[start..<start + 250].map { number in
                        var job = NewJob.asking("\(number)")
                        job.maxAttempts = 50
                        return job
                    })
            }
        }

        private static func checkTexts(_ scene: Scene) throws {
            for id in 1...Int64(jobs) {
                let job = try scene.job(id)
                let prompt = job.request["messages"]?.array?.last?["content"]?.string ?? "?"
                #expect(job.state == .completed, "job \(id)")
                #expect(job.result?.text == "echo \(prompt)", "job \(id)")
            }
        }

        @Test func aThousandJobsOfAHundredPromptsAreAHundredCalls() async throws {
            let server = PromptServer()
            try await withScene(server.script) { scene in
                try await Self.enqueue(scene)
                for _ in 0..<4 { _ = try scene.startWorker() }
                try await scene.waitForEnds(Self.jobs)
                try Self.checkTexts(scene)
                #expect(scene.server.requests.count == Self.prompts)
                #expect(server.charges.count == Self.prompts)
                #expect(try scene.answered(by: .provider) == Self.prompts)
                let others = try (scene.answered(by: .coalesced), scene.answered(by: .cache))
                #expect(others.0 + others.1 == Self.jobs - Self.prompts)
                #expect(try scene.store.jobs.lanes().map(\.calls) == [Self.prompts])
                // A command that a person would run says the same.
                #expect(try await scene.run("database", "check").ending == .exit(0))
                print("coalescing: \(scene.server.requests.count) calls, \(others.0) coalesced, \(others.1) from the cache")
            }
        }

        @Test func killsCostTheCallsThatWereUnderWay() async throws {
            let server = PromptServer()
            try await withScene(server.script, configuration: Self.patient) { scene in
                try await Self.enqueue(scene)
                var workers = try (0..<4).map { _ in try scene.startWorker() }
                var lost: Set<Lease> = []
                for kill in 0..<10 {
                    // Spread over the run: every ninth call.
                    try await scene.calls(1 + kill * 9)
                    lost.formUnion(try await scene.kill(workers[kill % 4]))
                    workers[kill % 4] = try scene.startWorker()
                }
                try await scene.waitForEnds(Self.jobs)
                try Self.checkTexts(scene)
                let called = scene.server.requests.compactMap(\.lease)
                let underWay = lost.intersection(called)
                #expect(called.count <= Self.prompts + underWay.count)
                #expect(Set(called).count == called.count, "two calls under one lease")
                #expect(try scene.answered(by: .provider) == Self.prompts)
                print("coalescing: \(called.count) calls with 10 kills, \(underWay.count) under way then")
            }
        }

        @Test func aFailedLeaderIsFollowedByAnother() async throws {
            let server = PromptServer(
                failures: [
                    "a": [.broken], "b": [.limited], "c": [.broken, .limited, .broken],
                    "d": [ScriptedAnswer(200, body: [], ending: .droppedUnanswered)],
                ])
            try await withScene(server.script, configuration: Self.patient) { scene in
                for _ in 0..<2 { try await scene.worker() }
                for _ in 0..<20 {
                    for prompt in ["a", "b", "c", "d", "e"] { try await scene.enqueue(prompt) { $0.maxAttempts = 20 } }
                }
                try await scene.waitForEnds(100)
                #expect(try scene.count(.completed) == 100)
                for id in 1...Int64(100) {
                    #expect(try scene.job(id).result?.text == "echo \(["a", "b", "c", "d", "e"][Int(id - 1) % 5])", "job \(id)")
                }
                #expect(server.failed == 6)
                #expect(scene.server.requests.count == 5 + 6)
                #expect(server.charges.values.allSatisfy { $0 == 1 })
            }
        }

        @Test func aCancelledLeadersCallGoesOn() async throws {
            let gate = Gate()
            let script = Script { $0.prompt == "?" ? .saying("for all", after: gate) : .echo($0) }
            try await withScene(script) { scene in
                try await scene.worker()
                let leader = try await scene.enqueue("?")
                try await scene.calls(1)
                var followers: [Int64] = []
                for _ in 0..<5 { followers.append(try await scene.enqueue("?")) }
                for id in followers { try await scene.wait(for: id, .pending) }
                #expect(try await scene.run("cancel", "\(leader)", "\(followers[0])").ending == .exit(0))
                try await scene.wait(for: followers[0], .cancelled)
                // The round that claims this one has seen the cancellation.
                try await scene.wait(for: try await scene.enqueue("another"), .completed)
                gate.open()
                for id in followers.dropFirst() { try await scene.wait(for: id, .completed) }
                try await scene.wait(for: leader, .cancelled)
                for id in followers.dropFirst() {
                    #expect(try scene.job(id).result?.text == "for all")
                    #expect(try scene.job(id).result?.answeredBy == .coalesced)
                }
                #expect(scene.server.requests.map(\.prompt) == ["?", "another"])
                // It was paid for once, and that is on record.
                #expect(try scene.number("SELECT sum(calls) FROM charges") == 2)
            }
        }

        @Test func withoutFollowersACancelledCallEnds() async throws {
            try await withScene(.hang) { scene in
                try await scene.worker()
                let leader = try await scene.enqueue("?")
                try await scene.calls(1)
                let follower = try await scene.enqueue("?")
                try await scene.wait(for: follower, .pending)
                #expect(try await scene.run("cancel", "\(follower)", "\(leader)").ending == .exit(0))
                try await within(.seconds(10), "the call is given up") { [server = scene.server] in
                    try await server.waitForClientsToClose(1)
                }
                try await scene.wait(for: leader, .cancelled)
                #expect(scene.server.requests.count == 1)
            }
        }

        @Test func withoutTheCacheEachIsItsOwnCall() async throws {
            let server = PromptServer()
            try await withScene(server.script) { scene in
                for _ in 0..<2 { try await scene.worker() }
                let source = scene.folder + "/in.jsonl"
                let line = #"{"prompt": "the same"}"# + "\n"
                try String(repeating: line, count: 12).write(toFile: source, atomically: true, encoding: .utf8)
                #expect(try await scene.run("enqueue", "--jsonl", source, "--no-cache").ending == .exit(0))
                try await scene.waitForEnds(12)
                #expect(try scene.count(.completed) == 12)
                #expect(scene.server.requests.count == 12)
                #expect(try scene.answered(by: .provider) == 12)
                #expect(server.charges == ["the same": 12])
            }
        }

        @Test func aPermanentFailureEndsAllWithItsReason() async throws {
            let script = Script { request in
                guard request.prompt == "bad" else { return .echo(request, after: .milliseconds(20)) }
                return .failing(400, "invalid_request_error", "no such parameter")
            }
            try await withScene(script, configuration: Self.patient) { scene in
                for _ in 0..<20 { try await scene.enqueue("bad") }
                let good = try await scene.enqueue("good")
                for _ in 0..<2 { try await scene.worker() }
                try await scene.waitForEnds(21)
                #expect(try scene.job(good).state == .completed)
                for id in 1...Int64(20) {
                    let job = try scene.job(id)
                    #expect(job.state == .discarded, "job \(id)")
                    #expect(job.errors.last?.message.contains("no such parameter") == true, "job \(id): \(job.errors)")
                }
                let calls = scene.server.requests.count { $0.prompt == "bad" }
                #expect((1...20).contains(calls))
                print("coalescing: \(calls) calls for 20 jobs that are refused for good")
            }
        }
    }
}
