import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct SettleTests {
    @Test func anAnswerIsStoredWhole() async throws {
        try await withStore { f in
            let job = try await f.running { $0.batch = "b" }
            f.clock.advance(400)
            #expect(try await f.complete(job, "forty-two") == .settled(.completed))
            let stored = try f.job(job.id)
            #expect(stored.state == .completed && stored.finalizedAt == f.clock.wall && stored.attempt == 1 && stored.worker == nil)
            #expect(
                stored.result
                    == JobResult(
                        reply: ["text": "forty-two", "finish_reason": "stop"], usage: Usage(inputTokens: 10, outputTokens: 3), cost: 0.25,
                        answeredBy: .provider, target: "local/m", latency: 120))
            let lane = try #require(try f.store.jobs.lanes().first)
            #expect(lane.calls == 1 && lane.usage == Usage(inputTokens: 10, outputTokens: 3) && lane.cost == 0.25 && lane.cacheAnswers == 0)
            #expect(try f.store.jobs.batch(named: "b")?.isDone == true)
            #expect(try f.raw().rows("SELECT token, worker_id, lease_expires_at FROM jobs") == [["NULL", "NULL", "NULL"]])
        }
    }

    /// Every outcome at every attempt leads where `Settlement.decide` says, with the attempt counted or given back.
    @Test(arguments: FailureClass.allCases)
    func failures(_ failure: FailureClass) async throws {
        try await withStore { f in
            for attempt in 1...3 {
                let id = try await f.add { $0.maxAttempts = 3 }
                var job = try await f.one()
                while job.attempt < attempt {
                    try await f.fail(job)
                    _ = try await f.store.jobs.retry(ids: [id])
                    job = try await f.one()
                }
                let expected = Settlement.decide(
                    .failed(failure, retryAfter: nil), attempt: attempt, maxAttempts: 3, backoff: 4_000, now: f.clock.wall)
                #expect(try await f.fail(job, failure) == .settled(expected.state))
                let stored = try f.job(id)
                #expect(stored.state == expected.state && stored.attempt == attempt - (expected.countsAttempt ? 0 : 1))
                #expect(stored.finalizedAt == (expected.state.isFinal ? f.clock.wall : nil))
                if let time = expected.scheduledAt { #expect(stored.scheduledAt == time) }
                #expect(stored.errors.count == attempt && stored.errors.last?.failure == failure && stored.errors.last?.attempt == attempt)
                #expect(stored.result == nil)
                _ = try await f.store.jobs.cancel(ids: [id])
            }
        }
    }

    @Test func aGivenBackAttemptIsCountedAgain() async throws {
        try await withStore { f in
            let id = try await f.add { $0.maxAttempts = 1 }
            for _ in 0..<5 {
                let job = try await f.one()
                #expect(job.attempt == 1)
                #expect(try await f.fail(job, .rateLimited, retryAfter: 2_000) == .settled(.retryable))
                #expect(try f.job(id).attempt == 0)
                f.clock.wall += 2_000
                _ = try await f.store.maintenance.promote()
            }
            let job = try await f.one()
            #expect(try await f.fail(job) == .settled(.discarded))
        }
    }

    // MARK: The fence

    /// Test 10: a lease that ended is still good while nobody else has the job.
    @Test func aLateSettleIsAccepted() async throws {
        try await withStore { f in
            let job = try await f.running(lease: 1_000)
            f.clock.advance(86_400_000)
            #expect(try await f.complete(job) == .settled(.completed))
            #expect(try await f.store.maintenance.rescue() == 0)
            #expect(try await f.claim().isEmpty)
            #expect(try f.job(job.id).errors.isEmpty)
        }
    }

    @Test func aSecondSettleIsRefused() async throws {
        try await withStore { f in
            let job = try await f.running()
            #expect(try await f.complete(job, "one") == .settled(.completed))
            let row = try f.row(job.id)
            #expect(try await f.complete(job, "two") == .fenced)
            #expect(try await f.fail(job) == .fenced)
            #expect(try await f.fail(job, .permanent) == .fenced)
            #expect(try await f.store.claims.settle(.handBack(job, now: f.clock.wall)) == .fenced)
            #expect(try f.row(job.id) == row)
            #expect(try f.job(job.id).result?.reply["text"] == "one")
            #expect(try f.job(job.id).errors.isEmpty)
        }
    }

    @Test func aStaleTokenIsRefusedWhateverItBrings() async throws {
        try await withStore { f in
            let old = try await f.running()
            _ = try await f.store.claims.settle(.handBack(old, now: f.clock.wall))
            let new = try await f.one()
            #expect(new.attempt == old.attempt && new.lease.token > old.lease.token, "an attempt number would be no fence")
            let row = try f.row(old.id)
            #expect(try await f.complete(old) == .fenced)
            #expect(try await f.fail(old, .cancelled) == .fenced)
            #expect(try await f.fail(old, .permanent) == .fenced)
            #expect(try await f.store.claims.settle(.handBack(old, now: f.clock.wall)) == .fenced)
            #expect(try f.row(old.id) == row)
            #expect(try await f.complete(new) == .settled(.completed))
        }
    }

    /// What was paid for serves the next attempt, although its own was refused.
    @Test func aFencedReplyGoesIntoTheCache() async throws {
        try await withStore { f in
            let old = try await f.running()
            _ = try await f.store.claims.settle(.handBack(old, now: f.clock.wall))
            let new = try await f.one()
            #expect(try await f.complete(old, "paid", cacheFor: 60_000) == .fenced)
            #expect(try f.store.cache.reply(old.digest)?.reply.contains("paid") == true)
            #expect(try f.store.jobs.lanes().first?.calls == 1)
            #expect(try f.state(old.id) == .running)
            #expect(try await f.store.claims.settleFromCache(new) == .settled(.completed))
            let stored = try f.job(old.id)
            #expect(stored.result?.reply["text"] == "paid" && stored.result?.answeredBy == .cache)
            #expect(try f.store.jobs.lanes().first?.saved == 0.25)
            #expect(try await f.store.claims.settleFromCache(new) == .fenced)
        }
    }

    @Test func aJobThatIsGoneFencesToo() async throws {
        try await withStore { f in
            let job = try await f.running()
            _ = try await f.complete(job)
            _ = try await f.store.jobs.delete(ids: [job.id])
            #expect(try await f.complete(job, cacheFor: 1_000) == .fenced)
            #expect(try f.store.cache.statistics().entries == 1)
        }
    }

    @Test func settlingFromACacheThatHasForgottenChangesNothing() async throws {
        try await withStore { f in
            let request = NewJob.asking("x")
            try await f.add(request)
            try await f.add(request)
            _ = try await f.complete(f.one(), cacheFor: 1_000)
            let job = try await f.one()
            #expect(job.isCached)
            f.clock.wall += 1_000
            let row = try f.row(job.id)
            #expect(try await f.store.claims.settleFromCache(job) == nil)
            #expect(try f.row(job.id) == row)
            #expect(try await f.complete(job) == .settled(.completed))
        }
    }

    @Test func settlesOfManyTasksAreEachTheirOwn() async throws {
        try await withStore(durability: .normal) { f in
            _ = try await f.store.jobs.enqueue((0..<200).map { .asking("\($0)") })
            let jobs = try await f.claim(200)
            let results = try await withThrowingTaskGroup(of: SettleResult.self) { group in
                // Each twice: exactly one of the two is accepted.
                for job in jobs + jobs { group.addTask { try await f.complete(job, "answer \(job.id)") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.count { $0 == .settled(.completed) } == 200)
            #expect(results.count { $0 == .fenced } == 200)
            for job in jobs { #expect(try f.job(job.id).result?.reply["text"] == .string("answer \(job.id)")) }
        }
    }

    // MARK: Cancellation

    @Test func aCancelledJobIsNotTriedAgain() async throws {
        try await withStore { f in
            for settle in ["retry", "snooze", "hand back"] {
                let job = try await f.running()
                #expect(try await f.store.jobs.cancel(ids: [job.id]) == [JobChange(id: job.id, result: .changed(.running))])
                #expect(try f.job(job.id).cancelRequestedAt == f.clock.wall)
                let result =
                    switch settle {
                    case "retry": try await f.fail(job)
                    case "snooze": try await f.fail(job, .rateLimited)
                    default: try await f.store.claims.settle(.handBack(job, now: f.clock.wall))
                    }
                #expect(result == .settled(.cancelled))
                #expect(try f.job(job.id).state == .cancelled && f.job(job.id).finalizedAt == f.clock.wall)
            }
            #expect(try await f.claim().isEmpty)
        }
    }

    @Test func anAnswerThatCameBeforeTheCancelledCallEndedIsKept() async throws {
        try await withStore { f in
            let job = try await f.running()
            _ = try await f.store.jobs.cancel(ids: [job.id])
            #expect(try await f.complete(job) == .settled(.completed))
            let other = try await f.running()
            _ = try await f.store.jobs.cancel(ids: [other.id])
            #expect(try await f.fail(other, .permanent) == .settled(.discarded))
        }
    }

    // MARK: Errors

    @Test func errorsAreBounded() async throws {
        try await withStore { f in
            let id = try await f.add()
            for index in 0..<60 {
                let job = try await f.one()
                var request = SettleRequest.failure(job, .rateLimited, now: f.clock.wall)
                request.error?.message = "\(index) " + String(repeating: "é", count: 2_000)
                #expect(try await f.store.claims.settle(request) == .settled(.retryable))
                _ = try await f.store.jobs.retry(ids: [id])
            }
            let errors = try f.job(id).errors
            #expect(errors.count == 50 && errors.first?.message.hasPrefix("10 ") == true && errors.last?.message.hasPrefix("59 ") == true)
            #expect(errors.allSatisfy { $0.message.utf8.count <= JobError.maxMessageBytes + 8 && $0.message.hasSuffix("…") })
        }
    }
}
