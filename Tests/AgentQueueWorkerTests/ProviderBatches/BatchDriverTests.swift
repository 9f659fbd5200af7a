import AgentQueueModel
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// The life of a provider's batch, from its first job to its last.
@Suite struct BatchDriverTests {
    @Test func jobsGoTogetherAndComeBackAnswered() async throws {
        try await withScene { s in
            let ids = try await s.add((0..<7).map { "q\($0)" })
            #expect(try await s.claim().isEmpty, "none takes a slot")
            #expect(try s.states(ids) == Array(repeating: .pending, count: 7))
            #expect(try s.job(ids[0]).attempt == 0)
            try await s.drive()
            #expect(await s.provider.calls == [], "it waits for company")
            s.pass(BatchScene.minute)
            try await s.drive()
            #expect(await s.provider.batches.map(\.items.count) == [7])
            #expect(try s.batches().map(\.state) == [.submitted])
            s.pass(14_000)
            try await s.drive()
            #expect(await s.provider.count(.get) == 0)
            s.pass(1_000)
            try await s.drive()
            #expect(await s.provider.count(.get) == 1)
            await s.provider.finish()
            s.pass(5 * BatchScene.minute)
            try await s.drive()
            #expect(try s.states(ids) == Array(repeating: .completed, count: 7))
            let job = try s.job(ids[3])
            #expect(
                job.attempt == 1 && job.result?.reply["text"] == "re: q3" && job.result?.cost == 0.5, "a million tokens at half the price")
            #expect(try s.batches().map(\.state) == [.ended])
            #expect(try s.batches().first?.open == 0)
            #expect(await s.provider.forgotten == ["remote-local-1"])
            // The same again is in the cache.
            let again = try await s.add("q3")
            #expect(try s.states([again]) == [.completed])
        }
    }

    @Test func aFullBatchGoesAtOnce() async throws {
        try await withScene(items: 3) { s in
            let ids = try await s.add((0..<8).map { "q\($0)" })
            try await s.claim()
            try await s.drive()
            #expect(await s.provider.batches.map(\.items.count) == [3, 3])
            #expect(try s.batches().map(\.state) == [.collecting, .submitted, .submitted])
            try await s.finish(ids)
            #expect(await s.provider.batches.map(\.items.count) == [3, 3, 2])
            #expect(await s.provider.charges.values.allSatisfy { $0 == 1 })
        }
    }

    @Test func aDrainingWorkerWaitsForNoCompany() async throws {
        try await withScene(drains: true) { s in
            let ids = try await s.add(["a", "b"])
            try await s.claim()
            #expect(try s.store.claims.isDrained(queues: nil, providers: ["local"]) == false)
            #expect(try s.store.claims.isDrained(queues: ["other"], providers: ["local"]))
            try await s.drive()
            #expect(await s.provider.batches.count == 1)
            await s.provider.finish()
            s.pass(BatchScene.minute)
            try await s.drive()
            #expect(try s.states(ids) == [.completed, .completed])
            #expect(try s.store.claims.isDrained(queues: nil, providers: ["local"]))
        }
    }

    @Test func whatABatchCannotHoldIsCalledForAlone() async throws {
        try await withScene(refusing: "b") { s in
            let ids = try await s.add(["a", "b", "c"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            #expect(await s.provider.batches.map(\.items.count) == [2])
            let live = try await s.claim()
            #expect(live.map(\.id) == [ids[1]] && live[0].attempt == 1)
            #expect(try s.job(ids[1]).errors.map(\.message) == ["it asks for what no batch has"])
            try await s.run(live)
            try await s.finish(ids)
            #expect(try s.states(ids) == [.completed, .completed, .completed])
        }
    }

    // MARK: What does not come back

    @Test(arguments: [FailureClass.expired, nil])
    func onlyTheUnpaidRestIsSentAgain(_ rest: FailureClass?) async throws {
        try await withScene { s in
            let ids = try await s.add((0..<6).map { "q\($0)" })
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            await s.provider.finish(4, rest: rest)
            s.pass(BatchScene.minute)
            try await s.drive()
            #expect(try s.states(ids).count { $0 == .completed } == 4)
            #expect(try s.job(ids[5]).attempt == 0, "nothing was charged")
            try await s.finish(ids)
            #expect(await s.provider.batches.map(\.items.count) == [6, 2])
            #expect(await s.provider.charges == Dictionary(uniqueKeysWithValues: (0..<6).map { ("q\($0)", 1) }))
            #expect(try s.job(ids[5]).attempt == 1)
        }
    }

    @Test func failedItemsAreSettledOneByOne() async throws {
        try await withScene { s in
            await s.provider.answer("bad", with: .failure(ModelFailure(.permanent, "no such parameter")))
            await s.provider.answer("unlucky", with: .failure(ModelFailure(.retryable, "a server error")))
            let ids = try await s.add(["good", "bad", "unlucky"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            await s.provider.finish()
            s.pass(BatchScene.minute)
            try await s.drive()
            #expect(try s.states(ids) == [.completed, .discarded, .retryable])
            #expect(try s.job(ids[1]).errors.map(\.message) == ["no such parameter"])
            #expect(try s.job(ids[2]).attempt == 1)
            await s.provider.answer("unlucky", with: .reply(ModelReply(text: "at last", finishReason: "stop")))
            try await s.finish(ids)
            #expect(try s.text(ids[2]) == "at last")
            #expect(try s.job(ids[2]).attempt == 2)
        }
    }

    @Test func aBatchRefusedTwiceGoesLive() async throws {
        try await withScene { s in
            let ids = try await s.add(["a", "b"])
            for round in 1...2 {
                #expect(try await s.claim().isEmpty)
                s.pass(BatchScene.minute)
                try await s.drive()
                #expect(await s.provider.batches.count == round)
                await s.provider.refuse("line 1: invalid")
                s.pass(BatchScene.minute)
                try await s.drive()
                #expect(try s.states(ids) == [.available, .available])
            }
            let live = try await s.claim()
            #expect(live.map(\.id) == ids && live.allSatisfy { $0.attempt == 1 })
            #expect(try s.job(ids[0]).errors.map(\.message) == ["line 1: invalid", "line 1: invalid"])
            try await s.run(live)
        }
    }

    @Test func aServerWithoutBatchesIsAskedOneByOne() async throws {
        try await withScene { s in
            await s.provider.next(.submit, .refused(ModelFailure(.permanent, "not found")))
            let ids = try await s.add(["a", "b"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            let live = try await s.claim()
            #expect(live.map(\.id) == ids && live.allSatisfy { $0.attempt == 1 })
            #expect(try s.batches().map(\.state) == [.ended])
            #expect(try s.batches()[0].error?.hasSuffix("not found") == true)
            try await s.run(live)
        }
    }

    @Test(arguments: [FailureClass.rateLimited, .authentication, .quotaExhausted])
    func aProviderThatRefusesForNowIsAskedLater(_ failure: FailureClass) async throws {
        try await withScene { s in
            for _ in 0..<3 { await s.provider.next(.submit, .refused(ModelFailure(failure, "not now"))) }
            let ids = try await s.add(["a"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            #expect(try s.batches().map(\.error) == ["not now"])
            try await s.drive()
            #expect(await s.provider.count(.submit) == 1, "it is left alone for a while")
            s.pass(15_000)
            try await s.drive()
            s.pass(15_000)
            try await s.drive()
            #expect(await s.provider.count(.submit) == 2, "and for longer")
            try await s.finish(ids)
            #expect(try s.states(ids) == [.completed])
            #expect(await s.provider.count(.find) == 0, "nothing of it was there")
            #expect(await s.provider.charges == ["a": 1])
        }
    }

    @Test func pollsThatFailArePutOff() async throws {
        try await withScene { s in
            for _ in 0..<4 { await s.provider.next(.get, .refused(ModelFailure(.retryable, "bad gateway"))) }
            await s.provider.next(.read, .answerLost)
            let ids = try await s.add((0..<8).map { "q\($0)" })
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            await s.provider.finish()
            s.pass(15_000)
            try await s.drive()
            #expect(try s.batches().map(\.error) == ["bad gateway"])
            for _ in 0..<3 {
                s.pass(5 * BatchScene.minute)
                try await s.drive()
            }
            s.pass(5 * BatchScene.minute)
            try await s.drive()
            #expect(try s.batches().map(\.state) == [.harvesting])
            #expect(try s.states(ids).count { $0 == .completed } == 3, "what came before the connection broke is taken in")
            s.pass(5 * BatchScene.minute)
            try await s.drive()
            #expect(try s.states(ids) == Array(repeating: .completed, count: 8))
        }
    }

    @Test func aBatchThatItsProviderForgotIsGivenUp() async throws {
        try await withScene { s in
            let ids = try await s.add(["a"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            s.pass(25 * BatchScene.hour)
            await s.provider.next(.get, .refused(ModelFailure(.permanent, "no such batch")))
            try await s.drive()
            #expect(try s.states(ids) == [.available])
            try await s.finish(ids)
            #expect(await s.provider.charges.values.allSatisfy { $0 >= 1 })
        }
    }

    // MARK: Deadlines

    @Test func stragglersGoLiveNearTheirDeadline() async throws {
        try await withScene { s in
            let urgent = try await s.add("urgent") { $0.deadline = s.now + 2 * BatchScene.hour }
            let others = try await s.add(["a", "b", "c"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            s.pass(100 * BatchScene.minute)
            try await s.drive()
            #expect(await s.provider.count(.cancel) == 0)
            s.pass(7 * BatchScene.minute)
            try await s.drive()
            #expect(await s.provider.count(.cancel) == 1)
            #expect(try s.batches().map(\.state) == [.cancelling])
            s.pass(BatchScene.minute)
            try await s.drive()
            // What was done by then is the first half, the urgent one among it.
            #expect(try s.states([urgent] + others) == [.completed, .completed, .available, .available])
            try await s.finish(others)
            #expect(await s.provider.charges.values.allSatisfy { $0 == 1 })
        }
    }

    @Test func aDeadlineThatIsNearAlreadyNeedsNoBatch() async throws {
        try await withScene { s in
            let id = try await s.add("now") { $0.deadline = s.now + 30_000 }
            let live = try await s.claim()
            #expect(live.map(\.id) == [id])
            try await s.run(live)
            #expect(try s.batches().isEmpty)
        }
    }

    @Test func aDeadlineThatNearsBeforeTheBatchIsSentGoesLive() async throws {
        try await withScene(policy: BatchPolicy(linger: 30 * BatchScene.minute)) { s in
            let urgent = try await s.add("urgent") { $0.deadline = s.now + 10 * BatchScene.minute }
            let other = try await s.add("other")
            try await s.claim()
            s.pass(9 * BatchScene.minute)
            try await s.drive()
            #expect(try s.states([urgent, other]) == [.available, .pending])
            let live = try await s.claim()
            #expect(live.map(\.id) == [urgent])
            try await s.run(live)
            #expect(try s.batches().map(\.jobs) == [1])
        }
    }

    // MARK: Cancellation

    @Test func aJobLeavesABatchThatHasNotBeenSent() async throws {
        try await withScene { s in
            let ids = try await s.add(["a", "b"])
            try await s.claim()
            _ = try await s.store.jobs.cancel(ids: [ids[0]])
            #expect(try s.batches().map(\.jobs) == [1])
            #expect(try s.store.maintenance.check().faults == [])
            _ = try await s.store.jobs.cancel(ids: [ids[1]])
            #expect(try s.batches().isEmpty)
        }
    }

    @Test func theAnswerOfACancelledJobIsPaidForAndKept() async throws {
        try await withScene { s in
            let ids = try await s.add(["a", "b"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            _ = try await s.store.jobs.cancel(ids: [ids[0]])
            #expect(try s.states(ids) == [.cancelled, .pending])
            // Even one that is deleted.
            _ = try await s.store.jobs.delete(ids: [ids[0]])
            await s.provider.finish()
            s.pass(BatchScene.minute)
            try await s.drive()
            #expect(try s.states(ids) == [nil, .completed])
            let outcomes = try await s.store.write { try $0.statement("SELECT outcome FROM charges ORDER BY outcome").all { $0.text(0) } }
            #expect(outcomes == ["answered", "fenced"])
            let again = try await s.add("a")
            #expect(try s.states([again]) == [.completed])
        }
    }

    @Test func aBatchThatNoOneWaitsForIsGivenUp() async throws {
        try await withScene { s in
            let ids = try await s.add(["a", "b"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            _ = try await s.store.jobs.cancel(ids: ids)
            try await s.drive()
            #expect(await s.provider.count(.cancel) == 1)
            s.pass(BatchScene.minute)
            try await s.drive()
            #expect(try s.batches().map(\.state) == [.ended])
            #expect(await s.provider.charges == ["a": 1])
        }
    }

    /// It asks for what is on its way already.
    @Test func aJobThatIsRetriedWaitsForItsOwnAnswer() async throws {
        try await withScene { s in
            let ids = try await s.add(["a", "b"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            _ = try await s.store.jobs.cancel(ids: [ids[0]])
            _ = try await s.store.jobs.retry(ids: [ids[0]])
            #expect(try await s.claim().isEmpty)
            try await s.finish(ids)
            #expect(try s.states(ids) == [.completed, .completed])
            #expect(await s.provider.charges == ["a": 1, "b": 1])
        }
    }

    @Test func identicalJobsAreOneItem() async throws {
        try await withScene { s in
            let ids = try await s.add(["a", "a", "a", "b"])
            try await s.claim()
            s.pass(BatchScene.minute)
            try await s.drive()
            let late = try await s.add("a")
            try await s.claim()
            #expect(await s.provider.batches.map(\.items.count) == [2])
            try await s.finish(ids + [late])
            #expect(try s.states(ids + [late]) == Array(repeating: .completed, count: 5))
            #expect(await s.provider.charges == ["a": 1, "b": 1])
        }
    }

    @Test func identicalJobsThatOptOutOfTheCacheAreNot() async throws {
        try await withScene { s in
            var ids: [Int64] = []
            for _ in 0..<3 { ids.append(try await s.add("a") { $0.useCache = false }) }
            try await s.finish(ids)
            #expect(await s.provider.charges == ["a": 3])
        }
    }
}
