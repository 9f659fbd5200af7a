import AgentQueueModel
import AgentQueueTestSupport
import Glibc
import Testing

extension ReliabilityTests {
    /// How a provider's batches end, and what becomes of their jobs.
    @Suite struct ProviderBatchTests {
        private static let prompts = (1...10).map { "question \($0)" }

        @Test(arguments: ServedBatch.API.allCases)
        func anAnswerCostsHalf(_ api: ServedBatch.API) async throws {
            try await BatchScene.run(api) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                try await batch.enqueue(["live"])
                try await batch.waitForEnd(of: try batch.drain())
                try batch.checkAnswered(Self.prompts + ["live"])
                #expect(batch.server.batches.map(\.items.count) == [Self.prompts.count])
                #expect(batch.server.liveCharges == ["live": 1])
                let live = try #require(try batch.job("live").result?.cost)
                #expect(abs(live - 5e-6) < 1e-12)
                for prompt in Self.prompts { #expect(abs((try batch.job(prompt).result?.cost ?? 0) - live / 2) < 1e-12, "\(prompt)") }
                // The input is not left behind, and what came of it belongs to the account.
                #expect(batch.server.files == (api == .openAI ? 1 : 0))
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func identicalJobsAreOneRequest(_ api: ServedBatch.API) async throws {
            try await BatchScene.run(api) { batch in
                try await batch.enqueue(["same", "same", "other", "same"], "--batch-api")
                try await batch.waitForEnd(of: try batch.drain())
                try batch.checkAnswered(["same", "same", "other", "same"])
                #expect(batch.server.batches.map(\.items.count) == [2])
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func onlyWhatExpiredIsSentAgain(_ api: ServedBatch.API) async throws {
            let server = BatchServer()
            server.plan(.init(polls: 1, done: 5, end: .expired))
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                try await batch.waitForEnd(of: try batch.drain())
                try batch.checkAnswered(Self.prompts)
                let batches = server.batches
                try #require(batches.count == 2)
                let expired = Set(batches[0].items.filter { $0.fate == .expired }.map(\.prompt))
                #expect(expired.count == 5)
                #expect(Set(batches[1].items.map(\.prompt)) == expired)
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func onlyWhatWasCancelledIsSentAgain(_ api: ServedBatch.API) async throws {
            let server = BatchServer()
            server.plan(.init(polls: nil, done: 4))
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                let worker = try batch.drain()
                try await until("the batch is there") { server.batches.count == 1 }
                server.cancel(0)
                try await batch.waitForEnd(of: worker)
                try batch.checkAnswered(Self.prompts)
                #expect(server.batches.map(\.items.count) == [10, 6])
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func aBatchThatIsRefusedTwiceGoesLive(_ api: ServedBatch.API) async throws {
            let server = BatchServer()
            server.plan(.init(polls: 1, end: .refused("line 3 is bad")), .init(polls: 1, end: .refused("line 3 is bad")))
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                try await batch.waitForEnd(of: try batch.drain())
                try batch.checkAnswered(Self.prompts)
                #expect(server.liveCharges.count == Self.prompts.count)
                // What is said of a line may quote it, and is left out.
                let errors = try batch.job("question 1").errors.map(\.message)
                #expect(errors.contains { $0.contains(api == .openAI ? "line 3" : "line 3 is bad") }, "\(errors)")
            }
        }

        /// OpenAI's alone: Anthropic refuses a batch when it is sent, and would again.
        @Test func aBatchThatIsRefusedOnceIsSentAgain() async throws {
            let server = BatchServer()
            server.plan(.init(polls: 1, end: .refused("line 3 is bad")))
            try await BatchScene.run(.openAI, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                try await batch.waitForEnd(of: try batch.drain())
                try batch.checkAnswered(Self.prompts)
                #expect(server.batches.filter { !$0.isRefused }.map(\.items.count) == [10])
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func requestsFailByThemselves(_ api: ServedBatch.API) async throws {
            let server = BatchServer()
            server.fail("question 3", .init(status: 400, type: "invalid_request_error", message: "no such parameter"))
            server.fail("question 7", .init(status: 500, type: api == .openAI ? "server_error" : "api_error", message: "not now"))
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                try await batch.waitForEnd(of: try batch.drain())
                server.endAll()
                let bad = try batch.job("question 3")
                #expect(bad.state == .discarded)
                #expect(bad.errors.last?.failure == .permanent)
                #expect(bad.errors.last?.message.contains("no such parameter") == true, "\(bad.errors)")
                let late = try batch.job("question 7")
                #expect(late.state == .completed)
                #expect(late.result?.text == "echo question 7")
                #expect(late.errors.map(\.failure) == [.retryable])
                #expect(try batch.scene.count(.completed) == 9)
                #expect(server.charges.count == 9 && server.charges.values.allSatisfy { $0 == 1 })
                #expect(server.violations == [])
            }
        }

        /// Near is a tenth of the whole time, and at least a minute: so a deadline in 63 s is near in 3.
        @Test(arguments: ServedBatch.API.allCases)
        func nearItsDeadlineTheRestIsCalledLive(_ api: ServedBatch.API) async throws {
            let server = BatchServer()
            server.plan(.init(polls: nil, done: 4))
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api", "--deadline", "63s")
                let worker = try batch.drain()
                try await until("the batch is there") { server.batches.count == 1 }
                #expect(server.liveCharges == [:])
                try await batch.waitForEnd(of: worker)
                try batch.checkAnswered(Self.prompts)
                #expect(server.steps.contains(.cancel))
                #expect(server.batches.count == 1)
                #expect(server.liveCharges.count == 6)
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func aBatchHoldsADrainingWorkerAndNoSlot(_ api: ServedBatch.API) async throws {
            let server = BatchServer(plan: .init(polls: nil))
            try await BatchScene.run(api, server, configuration: "worker: { concurrency: 1 }") { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                let worker = try batch.drain()
                try await until("the batch is there") { server.batches.count == 1 }
                try await batch.enqueue(["live"])
                try await until("the live call") { server.liveCharges == ["live": 1] }
                try await until("it is asked for", within: .seconds(60)) { server.batches[0].polls >= 2 }
                #expect(worker.ending == nil)
                #expect(try batch.scene.count(.pending) == Self.prompts.count)
                server.endAll()
                try await batch.waitForEnd(of: worker)
                try batch.checkAnswered(Self.prompts + ["live"])
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func aMemberIsCancelledAtOnce(_ api: ServedBatch.API) async throws {
            let server = BatchServer(plan: .init(polls: nil))
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                let worker = try batch.drain()
                try await until("the batch is there") { server.batches.count == 1 }
                let member = try batch.job("question 5").id
                #expect(try await batch.scene.run("cancel", "\(member)").ending == .exit(0))
                #expect(try batch.scene.job(member).state == .cancelled)
                server.endAll()
                try await batch.waitForEnd(of: worker)
                #expect(try batch.scene.count(.completed) == 9)
                #expect(try batch.scene.count(.cancelled) == 1)
                // Its answer was paid for all the same: it is on record, and in the cache.
                #expect(try batch.scene.number("SELECT sum(calls) FROM charges") == 10)
                try await batch.enqueue(["question 5"])
                #expect(try batch.scene.answered(by: .cache) == 1)
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func everyRequestMayFailForAWhile(_ api: ServedBatch.API) async throws {
            let server = BatchServer()
            let steps: [BatchServer.Step] = api == .openAI ? [.upload, .create, .poll, .results] : [.create, .poll, .results]
            for step in steps { server.fail(step, .status(500), .status(429)) }
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                try await batch.waitForEnd(of: try batch.drain(), within: .seconds(120))
                try batch.checkAnswered(Self.prompts)
                #expect(server.batches.count == 1)
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func everyConnectionMayBreak(_ api: ServedBatch.API) async throws {
            let server = BatchServer()
            let steps: [BatchServer.Step] = api == .openAI ? [.upload, .create, .poll, .results] : [.create, .poll, .results]
            for step in steps { server.fail(step, step == .create ? .lostAnswer : .lost) }
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                try await batch.waitForEnd(of: try batch.drain(), within: .seconds(120))
                try batch.checkAnswered(Self.prompts)
                #expect(server.batches.count == 1)
            }
        }

        @Test(arguments: ServedBatch.API.allCases)
        func aServerWithoutBatchesIsCalledLive(_ api: ServedBatch.API) async throws {
            let server = BatchServer()
            for step in [BatchServer.Step.upload, .create, .list] {
                for _ in 0..<20 { server.fail(step, .status(404)) }
            }
            try await BatchScene.run(api, server) { batch in
                try await batch.enqueue(Self.prompts, "--batch-api")
                try await batch.waitForEnd(of: try batch.drain())
                try batch.checkAnswered(Self.prompts)
                #expect(server.liveCharges.count == Self.prompts.count)
                // It is no fault of theirs.
                #expect(try Self.prompts.allSatisfy { try batch.job($0).attempt == 1 })
            }
        }

        @Test func severalWorkersSendOneBatch() async throws {
            let server = BatchServer()
            try await BatchScene.run(.anthropic, server, linger: "500ms") { batch in
                for _ in 0..<4 { try await batch.worker() }
                try await batch.enqueue(Self.prompts, "--batch-api")
                try await batch.scene.waitForEnds(Self.prompts.count)
                try batch.checkAnswered(Self.prompts)
                #expect(server.batches.map(\.items.count) == [Self.prompts.count])
            }
        }
    }
}
