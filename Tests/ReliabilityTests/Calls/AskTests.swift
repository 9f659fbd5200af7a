import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Glibc
import Testing

extension ReliabilityTests {
    /// `ask` answers with or without a worker, and its job is one like any other.
    @Suite struct AskTests {
        @Test func withoutAWorkerItRunsItsJobAndNoOther() async throws {
            try await withScene(.echo) { scene in
                let other = try await scene.enqueue("another")
                let (ending, output) = try await scene.run("ask", "why?")
                #expect(ending == .exit(0), "\(output)")
                #expect(output == "echo why?\n")
                #expect(scene.server.requests.map(\.prompt) == ["why?"])
                let job = try scene.job(other + 1)
                #expect(job.state == .completed)
                #expect(job.attempt == 1)
                #expect(try scene.job(other).state == .available)
                #expect(try scene.store.maintenance.workers().isEmpty)
            }
        }

        @Test func theCacheAnswersTheSecondTimeAndItSaysSo() async throws {
            try await withScene(.echo) { scene in
                #expect(try await scene.run("ask", "why?").output == "echo why?\n")
                let again = try await scene.run("ask", "why?")
                #expect(again.ending == .exit(0))
                #expect(again.output.contains("echo why?\n"))
                #expect(again.output.contains("agent-queue: answered from the cache"))
                #expect(scene.server.requests.count == 1)
                #expect(try await scene.run("ask", "--no-cache", "why?").output == "echo why?\n")
                #expect(scene.server.requests.count == 2)
            }
        }

        @Test func anotherProcessRunsItWhereThereIsOne() async throws {
            try await withScene(.echo) { scene in
                let worker = try await scene.worker()
                #expect(try await scene.run("ask", "why?").output == "echo why?\n")
                #expect(worker.output.contains("job 1 completed scripted/m"))
            }
        }

        /// A worker of other queues is of no help.
        @Test func aWorkerThatDoesNotServeTheJobIsNotWaitedFor() async throws {
            try await withScene(.echo) { scene in
                let worker = try await scene.worker("--queues", "other")
                #expect(try await scene.run("ask", "why?").output == "echo why?\n")
                #expect(!worker.output.contains("job 1"))
            }
        }

        @Test func afterAnInterruptionTheJobStaysAndTheAttemptDoesNotCount() async throws {
            try await withScene(.hang) { scene in
                let asking = try scene.start("ask", "why?")
                try await scene.calls(1)
                asking.send(SIGINT)
                let (ending, output) = try await asking.endOfOutput()
                #expect(ending == .exit(128 + SIGINT))
                #expect(output.contains("agent-queue: interrupted; job 1 stays in the queue"))
                let job = try scene.job(1)
                #expect(job.state == .available)
                #expect(job.attempt == 0)
                #expect(try scene.store.maintenance.workers().isEmpty)
            }
        }

        @Test func itWaitsNoLongerThanItMay() async throws {
            try await withScene(.hang) { scene in
                let (ending, output) = try await scene.run("ask", "--wait-timeout", "1s", "why?")
                #expect(ending == .exit(2))
                #expect(output == "agent-queue: timed out after 1s: job 1 has not finished\n")
            }
        }

        @Test func aFailureHasItsReasonAndExitCode() async throws {
            let refusal = ScriptedAnswer(400, json: #"{"error": {"message": "no such thing"}}"#)
            try await withScene(.always(refusal)) { scene in
                let (ending, output) = try await scene.run("ask", "--json", "why?")
                #expect(ending == .exit(1))
                #expect(output.contains(#""state":"discarded""#))
                #expect(output.contains("agent-queue: job 1 failed: "))
                #expect(output.contains("no such thing"))
            }
        }

        @Test func whatNobodyCanAnswerIsNotAdded() async throws {
            let provider = " }\n  keyed: { kind: openai, base_url: \"$URL/v1\", api_key_env: NO_SUCH_KEY"
            try await withScene(.echo, provider: provider) { scene in
                let (ending, output) = try await scene.run("ask", "--model", "keyed/m", "why?")
                #expect(ending == .exit(69))
                #expect(output.contains("provider 'keyed' is not available here: "))
                #expect(output.contains("NO_SUCH_KEY"))
                #expect(try scene.store.jobs.list(JobFilter(), limit: 1).isEmpty)
            }
        }
    }
}
