import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Which requests are a job of their own, and which are given an earlier one's.
@Suite struct AttachTests {
    private static let minute: Int64 = 60_000

    /// How a request is sent again.
    private enum Repetition: CaseIterable {
        case plain, retry
    }

    private func again(_ f: Fixture, _ repetition: Repetition, server: Int64? = nil) async throws -> GatewayTicket {
        try await f.submit("hello", server: server) { $0.isRetry = repetition == .retry }
    }

    @Test func theSameRequestTwiceIsTwoJobs() async throws {
        try await withStore { f in
            let first = try await f.submit("hello")
            let second = try await f.submit("hello")
            #expect(first.attached == nil && second.attached == nil && first.call != second.call)
        }
    }

    @Test func aRetryAttachesToACallUnderWay() async throws {
        try await withStore { f in
            let first = try await f.submit("hello")
            let second = try await again(f, .retry)
            #expect(second == GatewayTicket(jobs: [Enqueued(id: first.call, state: .available)], attached: .retry, client: 2))
            #expect(try await f.submit("another") { $0.isRetry = true }.attached == nil)
            #expect(try await f.submit("hello", key: 8) { $0.isRetry = true }.attached == nil, "another key's")
        }
    }

    @Test func aRetryAttachesToTheCallWhoseClientHasGone() async throws {
        try await withStore { f in
            let (older, newer) = (try await f.submit("hello"), try await f.submit("hello"))
            #expect(try await again(f, .retry).call == newer.call, "the newest, if all have clients")
            try await f.store.gateway.left(older.call, client: older.client, server: f.worker)
            #expect(try await again(f, .retry).call == older.call)
            // It has a client again.
            #expect(try await again(f, .retry).call == newer.call)
        }
    }

    @Test func aRetryGetsAnAnswerOfTheLastTenMinutes() async throws {
        try await withStore { f in
            let first = try await f.submit("hello")
            try await f.answer(first)
            f.store.gateway.received([first.call])
            try await f.store.gateway.flush()
            f.clock.advance(10 * Self.minute - 1)
            let second = try await again(f, .retry)
            #expect(second.jobs == [Enqueued(id: first.call, state: .completed)] && second.attached == .retry)
            let outcome = try f.store.gateway.outcomes(of: [first.call])[first.call]
            #expect(second.outcomes.first == outcome && outcome != nil && first.outcomes.isEmpty)
            f.clock.advance(1)
            #expect(try await again(f, .retry).attached == nil)
        }
    }

    @Test func aRetryGetsAFailureThatNobodyWasTold() async throws {
        try await withStore { f in
            let first = try await f.submit("hello")
            try await f.fail(f.one(), .permanent)
            #expect(try await again(f, .retry).jobs == [Enqueued(id: first.call, state: .discarded)])
            f.store.gateway.received([first.call])
            #expect(try await again(f, .retry).attached == nil)
        }
    }

    @Test func anyRequestAttachesToACallThatHasLostItsClients() async throws {
        try await withStore { f in
            let first = try await f.submit("hello")
            #expect(try await f.store.gateway.left(first.call, client: first.client, server: f.worker))
            let second = try await again(f, .plain)
            #expect(second.call == first.call && second.attached == .lost)
            #expect(try await again(f, .plain).attached == nil, "it has a client again")
        }
    }

    @Test func anyRequestGetsAnAnswerThatNobodyReceived() async throws {
        try await withStore { f in
            let first = try await f.submit("hello")
            try await f.store.gateway.left(first.call, client: first.client, server: f.worker)
            try await f.answer(first)
            f.clock.advance(10 * Self.minute - 1)
            #expect(try await again(f, .plain).jobs == [Enqueued(id: first.call, state: .completed)])
            f.store.gateway.received([first.call])
            #expect(try await again(f, .plain).attached == nil)
        }
    }

    @Test func theCallsOfAGatewayThatDiedAreLost() async throws {
        try await withStore { f in
            let dead = try f.deadWorker()
            let first = try await f.submit("hello", server: dead)
            let second = try await again(f, .plain)
            #expect(second.call == first.call && second.attached == .lost)
            #expect(try f.store.gateway.call(of: first.call)?.lostAt == nil)
            let server = try await f.store.gateway.register()
            let third = try await f.submit("other", server: server)
            #expect(try await f.submit("other").attached == nil)
            try await f.store.gateway.unregister(server)
            #expect(try await f.submit("other").call == third.call)
        }
    }

    /// Its client left, and so it was cancelled, or expired: who sends it again wants an answer.
    @Test func nothingAttachesToACallThatWasAbandoned() async throws {
        try await withStore { f in
            for ends in 0..<3 {
                let first = try await f.submit("hello")
                try await f.store.gateway.left(first.call, client: first.client, server: f.worker, expiresAt: f.clock.wall + Self.minute)
                switch ends {
                case 0: #expect(try await f.store.gateway.cancelAbandoned(first.call, client: first.client, server: f.worker))
                case 1:
                    f.clock.advance(Self.minute)
                    #expect(try await f.store.maintenance.expire() == 1)
                default:
                    _ = try await f.one()
                    _ = try await f.store.jobs.cancel(ids: [first.call])
                }
                for repetition in Repetition.allCases {
                    let next = try await again(f, repetition)
                    #expect(next.attached == nil && next.call != first.call)
                    try await f.store.gateway.left(next.call, client: next.client, server: f.worker)
                    _ = try await f.store.jobs.cancel(ids: [next.call])
                }
            }
        }
    }

    /// An SDK that repeats a broken request by itself does not undo what a person did.
    @Test(arguments: [false, true]) func aRetryIsToldOfACancellationThatItsClientWaitedFor(runs: Bool) async throws {
        try await withStore { f in
            let first = try await f.submit("hello")
            if runs { _ = try await f.one() }
            _ = try await f.store.jobs.cancel(ids: [first.call])
            #expect(try await again(f, .retry).call == first.call)
            #expect(try await again(f, .plain).call != first.call, "who asks on purpose is not refused")
            guard !runs else { return }
            f.store.gateway.received([first.call])
            #expect(try await again(f, .retry).call != first.call)
        }
    }

    @Test func allSamplesOfARequestAreAttachedToTogether() async throws {
        try await withStore { f in
            let first = try await f.submit("hello", samples: 3)
            #expect(first.jobs.count == 3 && Set(first.jobs.map(\.id)).count == 3)
            let second = try await f.submit("hello", samples: 3) { $0.isRetry = true }
            #expect(second.jobs == first.jobs && second.attached == .retry)
            #expect(try f.store.gateway.call(of: first.jobs[2].id)?.jobs == first.jobs.map(\.id))
            // One of them has been removed: what is left is no answer.
            _ = try await f.store.jobs.cancel(ids: [first.jobs[1].id])
            _ = try await f.store.jobs.delete(ids: [first.jobs[1].id])
            #expect(try await f.submit("hello", samples: 3) { $0.isRetry = true }.attached == nil)
        }
    }

    @Test func anAttachedClientWaitsAsLongAsItSays() async throws {
        try await withStore { f in
            let now = f.clock.wall
            var submission = f.submission("hello") { $0.expiresAt = now + 5 * Self.minute }
            let first = try await f.store.gateway.submit(submission)
            try await f.store.gateway.left(first.call, client: first.client, server: f.worker, expiresAt: now + Self.minute)
            #expect(try f.job(first.call).expiresAt == now + Self.minute)
            submission.jobs[0].expiresAt = now + 3 * Self.minute
            _ = try await f.store.gateway.submit(submission)
            #expect(try f.job(first.call).expiresAt == now + 3 * Self.minute)
            // Neither of two clients is cut short.
            submission.isRetry = true
            submission.jobs[0].expiresAt = now + 2 * Self.minute
            _ = try await f.store.gateway.submit(submission)
            #expect(try f.job(first.call).expiresAt == now + 3 * Self.minute)
            submission.jobs[0].expiresAt = nil
            _ = try await f.store.gateway.submit(submission)
            #expect(try f.job(first.call).expiresAt == nil)
        }
    }

    // MARK: Idempotency keys

    private func keyed(_ f: Fixture, _ name: String = "hello", _ idempotencyKey: String = "k", key: Int64 = 7) async throws -> GatewayTicket
    {
        try await f.submit(name, key: key) { $0.idempotencyKey = idempotencyKey }
    }

    @Test func anIdempotencyKeyNamesItsCallForADay() async throws {
        try await withStore { f in
            let first = try await keyed(f)
            #expect(try await keyed(f).call == first.call)
            try await f.answer(first)
            f.store.gateway.received([first.call])
            f.clock.advance(24 * 60 * Self.minute - 1)
            let late = try await keyed(f)
            #expect(late.jobs == [Enqueued(id: first.call, state: .completed)] && late.attached == .idempotency)
            #expect(try await keyed(f, "hello", "another").attached == nil)
            #expect(try await keyed(f, key: 8).attached == nil)
            f.clock.advance(1)
            let next = try await keyed(f)
            #expect(next.attached == nil)
            #expect(try await keyed(f).call == next.call)
        }
    }

    @Test func anIdempotencyKeyOfAnotherRequestIsAConflict() async throws {
        try await withStore { f in
            let first = try await keyed(f)
            await #expect(throws: IdempotencyConflict(job: first.call)) { _ = try await keyed(f, "other") }
            #expect(try f.count(of: "jobs") == 1)
        }
    }

    @Test(arguments: [
        (FailureClass.permanent, true), (.refused, true), (.invalidReply, false), (.authentication, false), (.cancelled, false),
    ])
    func aFailureThatTheRequestIsNotToBlameForIsMadeAnewUnderItsKey(_ failure: FailureClass, isKept: Bool) async throws {
        try await withStore { f in
            let first = try await f.store.gateway.submit(
                {
                    var submission = f.submission("hello") { $0.maxAttempts = 1 }
                    submission.idempotencyKey = "k"
                    return submission
                }())
            let job = try await f.one()
            let end = Settlement(state: failure == .cancelled ? .cancelled : .discarded)
            let error = JobError(attempt: 1, at: f.clock.wall, failure: failure, message: "it failed")
            _ = try await f.store.claims.settle(SettleRequest(job: job, settlement: end, error: error))
            let second = try await keyed(f)
            #expect((second.call == first.call) == isKept)
            #expect(second.attached == (isKept ? .idempotency : nil))
        }
    }

    // MARK: Contention

    /// Each store is a writer of its own, as another process is.
    @Test func ofManyRetriesAtOnceOneMakesTheJob() async throws {
        try await withStore { f in
            let others = try (0..<3).map { _ in try f.another() }
            defer { for other in others { other.close() } }
            let tickets = try await withThrowingTaskGroup(of: GatewayTicket.self) { group in
                for index in 0..<40 {
                    let store = index % 4 == 3 ? f.store : others[index % 4]
                    group.addTask {
                        try await f.submit("hello", by: store) {
                            if index % 2 == 0 { $0.isRetry = true } else { $0.idempotencyKey = "k" }
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(tickets.count == 40)
            // One for the key; one for the retries, unless they found that.
            let calls = try f.count(of: "gateway_calls")
            #expect((1...2).contains(calls))
            #expect(try f.count(of: "jobs") == calls)
            #expect(Int64(tickets.count { $0.attached == nil }) == calls)
        }
    }
}
