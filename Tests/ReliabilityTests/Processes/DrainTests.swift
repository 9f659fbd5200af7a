import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

extension ReliabilityTests {
    /// What `--drain` waits for, and what not.
    @Suite struct DrainTests {
        @Test func anEmptyQueueIsDrained() async throws {
            try await withScene(.hang) { scene in
                let worker = try scene.startWorker("--drain")
                #expect(try await worker.end() == .exit(0), "\(worker.output)")
            }
        }

        @Test func whatCannotRunHoldsNothing() async throws {
            let turn = Counter()
            let script = Script { request in
                guard request.prompt == "flaky" else { return .echo(request) }
                turn.add()
                return turn.count == 1 ? ScriptedAnswer(500, json: #"{"error": {"message": "not now"}}"#) : .echo(request)
            }
            try await withScene(script) { scene in
                let later = try await scene.enqueue("later") { $0.scheduledAt = scene.store.clock.wall() + 3_600_000 }
                let waiting = try await scene.enqueue("waiting") { $0.after = [later] }
                try await scene.store.jobs.pause(queue: "paused")
                let paused = try await scene.enqueue("paused") { $0.queue = "paused" }
                let foreign = try await scene.enqueue("foreign", to: "elsewhere/m")
                let flaky = try await scene.enqueue("flaky")
                let after = try await scene.enqueue("after") { $0.after = [flaky] }
                let worker = try scene.startWorker("--drain")
                let (ending, output) = try await worker.endOfOutput()
                #expect(ending == .exit(69), "\(output)")
                #expect(
                    output.contains(
                        "agent-worker: 1 job is left that no provider here can serve: 1 for provider 'elsewhere' (it is not configured here)\n"
                    ))
                #expect(
                    try scene.store.jobs.states(of: [later, waiting, paused, foreign, flaky, after]) == [
                        later: .scheduled, waiting: .pending, paused: .available, foreign: .available, flaky: .completed, after: .completed,
                    ])
                #expect(scene.server.requests.map(\.prompt) == ["flaky", "flaky", "after"])
            }
        }

        /// In queues that it was not given, nothing concerns it.
        @Test func whatNoProviderServesInOtherQueuesIsNotItsConcern() async throws {
            try await withScene(.echo) { scene in
                try await scene.enqueue("foreign", to: "elsewhere/m") { $0.queue = "other" }
                try await scene.enqueue("own")
                let worker = try scene.startWorker("--drain", "--queues", "default")
                #expect(try await worker.end() == .exit(0), "\(worker.output)")
            }
        }

        @Test func aSupervisorEndsAsItsChildrenDo() async throws {
            try await withScene(.echo) { scene in
                for number in 1...4 { try await scene.enqueue("\(number)") }
                try await scene.enqueue("foreign", to: "elsewhere/m")
                let (ending, output) = try await scene.startWorker("--drain", "--processes", "2", "--concurrency", "3").endOfOutput()
                #expect(ending == .exit(69), "\(output)")
                #expect(output.contains("2 worker processes, 6 calls at once (2 × 3)"))
                #expect(output.split(separator: "\n").count { $0.hasPrefix("agent-worker: 1 job is left") } == 1)
                #expect(try scene.store.jobs.lanes().reduce(0) { $0 + $1.count(.completed) } == 4)
            }
        }

        /// A provider that refuses every call would keep it for ever.
        @Test func aDrainEndsWhenNoJobEndsAnyMore() async throws {
            let script = Script { request in
                request.prompt == "good" ? .echo(request) : ScriptedAnswer(429, json: #"{"error": {"message": "slow down"}}"#)
            }
            try await withScene(script) { scene in
                let good = try await scene.enqueue("good")
                try await scene.enqueue("refused") { $0.maxAttempts = 1_000 }
                let (ending, output) = try await scene.startWorker("--drain", "--max-wait", "2s").endOfOutput(within: .seconds(60))
                #expect(ending == .exit(69), "\(output)")
                #expect(
                    output.contains("agent-worker: no job has finished for 2s (--max-wait); 1 job is left: 1 for scripted/m\n"),
                    "\(output)")
                #expect(try scene.job(good).state == .completed)
            }
        }

        @Test func aJobThatRunsElsewhereHolds() async throws {
            let gate = Gate()
            let script = Script { $0.prompt == "long" ? .saying("at last", after: gate) : .echo($0) }
            try await withScene(script, configuration: "worker: { concurrency: 1 }") { scene in
                _ = try await scene.worker()
                let long = try await scene.enqueue("long")
                try await scene.calls(1)
                let draining = try await scene.worker("--drain")
                // Each finds the queue empty when it is done, but for the one that runs.
                for number in 1...2 { try await scene.wait(for: try await scene.enqueue("\(number)"), .completed) }
                #expect(draining.ending == nil)
                gate.open()
                #expect(try await draining.end() == .exit(0))
                #expect(try scene.job(long).state == .completed)
            }
        }
    }
}
