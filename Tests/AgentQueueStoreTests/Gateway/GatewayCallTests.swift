import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// The life of a call: what is stored of it, who leaves it, and what those who wait are told.
@Suite struct GatewayCallTests {
    private static let minute: Int64 = 60_000

    @Test func aClaimHasTheRequestAsItsClientWroteIt() async throws {
        try await withStore { f in
            var submission = f.submission("hello")
            let native = NativeRequest(
                form: .messages, body: #"{ "a":1e2, "b":"\u00e9" }"#, version: "2023-06-01", betas: ["one", "two"], isRequired: true)
            submission.jobs[0].native = native
            let ticket = try await f.store.gateway.submit(submission)
            try await f.add("canonical")
            let jobs = try await f.claim()
            #expect(jobs.map(\.native) == [native, nil])
            #expect(try f.store.gateway.native(of: ticket.call) == native)
            #expect(try f.store.gateway.native(of: jobs[1].id) == nil)
            #expect(jobs[0].body == submission.jobs[0].body)
        }
    }

    @Test func aCallIsFoundByItsJobAndByItsResponse() async throws {
        try await withStore { f in
            let ticket = try await f.submit("hello") {
                $0.responseID = "resp_1"
                $0.previousResponse = "resp_0"
                $0.trace = "00-trace"
            }
            #expect(ticket.responseID == "resp_1")
            let call = try #require(try f.store.gateway.call(of: ticket.call))
            #expect(call.key == 7 && call.form == .chat && call.previousResponse == "resp_0" && call.trace == "00-trace")
            #expect(call.createdAt == f.clock.wall && call.receivedAt == nil && call.lostAt == nil)
            #expect(try f.store.gateway.call(response: "resp_1", key: 7) == call)
            #expect(try f.store.gateway.call(response: "resp_1", key: nil) == call)
            #expect(try f.store.gateway.call(response: "resp_1", key: 8) == nil)
            #expect(try f.store.gateway.call(response: "resp_2", key: 7) == nil)
            let plain = try await f.add()
            #expect(try f.store.gateway.call(of: plain) == nil)
            // Who attaches learns the id.
            #expect(try await f.submit("hello") { $0.isRetry = true }.responseID == "resp_1")
        }
    }

    @Test func aConversationIsCountedByItsResponses() async throws {
        try await withStore { f in
            for turn in 1...5 {
                try await f.submit("turn \(turn)") {
                    $0.responseID = "resp_\(turn)"
                    $0.previousResponse = "resp_\(turn - 1)"
                }
            }
            let store = f.store.gateway
            #expect(try store.turns(until: "resp_5", atMost: 200) == 5)
            #expect(try store.turns(until: "resp_5", atMost: 3) == 3)
            #expect(try store.turns(until: "resp_9", atMost: 3) == 0)
        }
    }

    // MARK: The cache

    @Test func aCachedAnswerThatIsTooOldServesNoOne() async throws {
        try await withStore { f in
            func submit(_ age: Int64?) async throws -> JobState? {
                var submission = f.submission("hello") { $0.useCache = true }
                submission.jobs[0].maxCacheAge = age
                return try await f.store.gateway.submit(submission).jobs.first?.state
            }
            #expect(try await submit(nil) == .available)
            _ = try await f.complete(f.one(), cacheFor: 10 * Self.minute)
            f.clock.advance(Self.minute)
            #expect(try await submit(Self.minute) == .completed)
            #expect(try await submit(Self.minute - 1) == .available)
            let job = try await f.one()
            #expect(!job.useCache && job.native != nil)
        }
    }

    // MARK: Clients that leave

    @Test func aJobThatHasNotBegunExpiresAfterItsLastClientLeft() async throws {
        try await withStore { f in
            let ticket = try await f.submit("hello", samples: 2)
            let begun = try await f.one()
            try await f.store.gateway.left(ticket.call, client: ticket.client, server: f.worker, expiresAt: f.clock.wall + Self.minute)
            f.clock.advance(Self.minute)
            _ = try await f.store.maintenance.expire()
            #expect(try f.states(ticket.jobs.map(\.id)) == [begun.id == ticket.call ? .running : .discarded, .discarded])
        }
    }

    @Test func aCallThatHasNotBegunIsLeftToExpireWhereItIs() async throws {
        try await withStore { f in
            let ticket = try await f.submit("hello")
            try await f.store.gateway.left(ticket.call, client: ticket.client, server: f.worker, expiresAt: f.clock.wall + Self.minute)
            #expect(try await !f.store.gateway.cancelAbandoned(ticket.call, client: ticket.client, server: f.worker, onlyBegun: true))
            _ = try await f.one()
            #expect(try await f.store.gateway.cancelAbandoned(ticket.call, client: ticket.client, server: f.worker, onlyBegun: true))
        }
    }

    @Test func aCallThatWasReceivedIsNotLost() async throws {
        try await withStore { f in
            let ticket = try await f.submit("hello")
            try await f.answer(ticket)
            f.store.gateway.received([ticket.call])
            #expect(try f.store.gateway.call(of: ticket.call)?.receivedAt == nil, "it is written with the next transaction")
            #expect(try await !f.store.gateway.left(ticket.call, client: ticket.client, server: f.worker))
            let call = try #require(try f.store.gateway.call(of: ticket.call))
            #expect(call.receivedAt == f.clock.wall && call.lostAt == nil)
        }
    }

    @Test func aCallThatHasAClientAgainIsNotCancelled() async throws {
        try await withStore { f in
            let ticket = try await f.submit("hello")
            _ = try await f.one()
            try await f.store.gateway.left(ticket.call, client: ticket.client, server: f.worker)
            let again = try await f.submit("hello")
            #expect(again.attached == .lost && again.client == 2)
            #expect(try await !f.store.gateway.cancelAbandoned(ticket.call, client: ticket.client, server: f.worker))
            try await f.store.gateway.left(again.call, client: again.client, server: f.worker)
            #expect(try await !f.store.gateway.cancelAbandoned(ticket.call, client: ticket.client, server: f.worker))
            #expect(try await f.store.gateway.cancelAbandoned(again.call, client: again.client, server: f.worker))
            #expect(try await f.cancellations().map(\.jobID) == [ticket.call])
        }
    }

    /// Its process has not heard of the new client yet: that one's departure counts, and not the one under way.
    @Test func aDepartureIsVoidOnceAnotherClientHasCome() async throws {
        try await withStore { f in
            let now = f.clock.wall
            let ticket = try await f.store.gateway.submit(f.submission("hello") { $0.expiresAt = now + 5 * Self.minute })
            let again = try await f.store.gateway.submit(f.retry("hello") { $0.expiresAt = now + 5 * Self.minute })
            #expect(again.call == ticket.call && again.client == 2)
            let left = try await f.store.gateway.left(
                ticket.call, client: ticket.client, server: f.worker, expiresAt: now + Self.minute)
            #expect(!left)
            #expect(try f.store.gateway.call(of: ticket.call)?.lostAt == nil)
            #expect(try f.job(ticket.call).expiresAt == now + 5 * Self.minute)
            #expect(try await !f.store.gateway.cancelAbandoned(ticket.call, client: ticket.client, server: f.worker))
            #expect(try await f.store.gateway.left(again.call, client: again.client, server: f.worker))
        }
    }

    /// A client has come to another process while one waited here. Neither process knows of the other's.
    @Test func aCallWithClientsAtSeveralProcessesIsNeverTakenForAbandoned() async throws {
        try await withStore { f in
            let other = try await f.store.gateway.register()
            let ticket = try await f.submit("hello")
            let again = try await f.submit("hello", server: other) { $0.isRetry = true }
            #expect(again.call == ticket.call)
            #expect(try await !f.store.gateway.left(ticket.call, client: ticket.client, server: f.worker))
            #expect(try await !f.store.gateway.left(again.call, client: again.client, server: other))
            #expect(try await !f.store.gateway.cancelAbandoned(again.call, client: again.client, server: other))
            // But who sends it again gets it.
            #expect(try await f.submit("hello").attached == .lost)
        }
    }

    /// Its client waits no longer for a closed lane; but the lane may just have opened.
    @Test func aCallThatHasBegunIsNotGivenUp() async throws {
        try await withStore { f in
            let begun = try await f.submit("a")
            _ = try await f.one()
            #expect(try await !f.store.gateway.giveUp(begun.call, client: begun.client, server: f.worker))
            #expect(try f.state(begun.call) == .running)
            #expect(try await f.cancellations().isEmpty)
            #expect(try f.store.gateway.call(of: begun.call)?.lostAt == nil)
            let waiting = try await f.submit("b")
            let again = try await f.submit("b") { $0.isRetry = true }
            #expect(try await f.store.gateway.giveUp(waiting.call, client: waiting.client, server: f.worker))
            #expect(try f.state(waiting.call) == .available, "another client waits for it")
            #expect(try await f.store.gateway.giveUp(again.call, client: again.client, server: f.worker))
            #expect(try f.state(waiting.call) == .cancelled)
        }
    }

    @Test func receiptsOutliveATransactionThatFails() async throws {
        try await withStore { f in
            let ticket = try await f.submit("hello")
            f.store.gateway.received([ticket.call])
            await #expect(throws: StoreError.self) { _ = try await f.submit("other") { $0.jobs[0].after = [999] } }
            #expect(try f.store.gateway.call(of: ticket.call)?.receivedAt == nil)
            try await f.store.gateway.flush()
            #expect(try f.store.gateway.call(of: ticket.call)?.receivedAt == f.clock.wall)
        }
    }

    // MARK: Those who wait

    @Test func whoWaitsIsToldWhatBecameOfEachJob() async throws {
        try await withStore { f in
            let tickets = [try await f.submit("a"), try await f.submit("b"), try await f.submit("c"), try await f.submit("d")]
            let ids = tickets.map(\.call)
            let jobs = try await f.claim(3)
            #expect(try f.store.gateway.ended(among: ids + [999]) == [:])
            _ = try await f.complete(jobs[0], "an answer")
            try await f.fail(jobs[1], .permanent)
            try await f.fail(jobs[2], .retryable)
            #expect(try f.store.gateway.ended(among: ids) == [ids[0]: .completed, ids[1]: .discarded])
            let outcomes = try f.store.gateway.outcomes(of: ids + [999])
            #expect(outcomes.count == 4)
            let completed = try #require(outcomes[ids[0]])
            #expect(completed.state == .completed && completed.result?.text == "an answer" && completed.result?.cost == 0.25)
            #expect(completed.result?.target == "local/m" && completed.error == nil && completed.attempt == 1)
            #expect(completed.createdAt == f.clock.wall && completed.attemptedAt == f.clock.wall)
            let failed = try #require(outcomes[ids[1]])
            #expect(failed.state == .discarded && failed.result == nil && failed.error?.failure == .permanent)
            #expect(outcomes[ids[2]]?.state == .retryable && outcomes[ids[2]]?.error?.failure == .retryable)
            #expect(outcomes[ids[3]]?.state == .available && outcomes[ids[3]]?.error == nil)
        }
    }

    @Test func aFailureIsToldWithTheProvidersAnswer() async throws {
        try await withStore { f in
            let ticket = try await f.submit("hello")
            let job = try await f.one()
            var error = JobError(attempt: 1, at: f.clock.wall, failure: .permanent, message: "it failed")
            error.answer = ErrorAnswer(status: 418, form: .messages, body: #"{"type":"error"}"#)
            _ = try await f.store.claims.settle(SettleRequest(job: job, settlement: Settlement(state: .discarded), error: error))
            #expect(try f.store.gateway.outcomes(of: [ticket.call])[ticket.call]?.error?.answer == error.answer)
        }
    }

    // MARK: Lanes

    @Test func aLaneTellsWhyItIsClosedAndWhenItOpens() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local/m": CallLimits(requestsPerMinute: 1)])
            let target = Target.named("local/m")
            let unknown = try f.store.gateway.lane(queue: "default", target: target, kind: .generate, policies: policies)
            #expect(unknown.isOpen && unknown.ready == 0)
            let tickets = [try await f.submit("a"), try await f.submit("b"), try await f.submit("c")]
            let urgent = try await f.store.gateway.submit(f.submission("d") { $0.priority = 3 })
            _ = try await f.claim(policies, 1)
            let lane = try f.store.gateway.lane(queue: "default", target: target, kind: .generate, policies: policies)
            #expect(!lane.isOpen && lane.cause?.kind == .limit && !lane.isFault && lane.ready == 3 && lane.running == 1)
            let opensAt = try #require(lane.opensAt)
            #expect((f.clock.wall + 1...f.clock.wall + Self.minute).contains(opensAt))
            #expect(try f.store.gateway.lane(of: tickets[1].call, policies: policies, withPlace: true)?.ahead == 1)
            #expect(try f.store.gateway.lane(of: tickets[0].call, policies: policies, withPlace: true)?.ahead == 0)
            #expect(try f.store.gateway.lane(of: urgent.call, policies: policies, withPlace: true)?.ahead == nil, "it runs")
            #expect(try f.store.gateway.lane(of: 999, policies: policies) == nil)
            f.clock.wall = opensAt
            #expect(try #require(try f.store.gateway.lane(of: tickets[0].call, policies: policies)).isOpen)
            try await f.store.jobs.pause(queue: "default")
            #expect(try f.store.gateway.lane(of: tickets[0].call, policies: policies)?.isPaused == true)
        }
    }

    @Test func aLaneWhoseFallbackIsOpenIsOpen() async throws {
        try await withStore { f in
            let (own, other) = (Target.named("local/m"), Target.named("other/m"))
            let policies = CallPolicies(routes: ["local/m": Route(targets: [own, other])])
            let ticket = try await f.submit("a")
            let job = try await f.one()
            try await f.settle(job, .failed(job, .authentication, retryAfter: 60_000, scope: .provider))
            let alone = try #require(try f.store.gateway.lane(of: ticket.call, policies: CallPolicies()))
            #expect(alone.cause?.kind == .pause && alone.isFault)
            #expect(try #require(try f.store.gateway.lane(of: ticket.call, policies: policies)).isOpen)
        }
    }

    // MARK: What is kept

    @Test func aCallGoesWithItsJobAndACachedOneSooner() async throws {
        try await withStore { f in
            let hour: Int64 = 3_600_000
            var submission = f.submission("hello") { $0.useCache = true }
            _ = try await f.store.gateway.submit(submission)
            _ = try await f.complete(f.one(), cacheFor: 1_000 * hour)
            submission.attach = APIKey.hash(of: [1])
            let cached = try await f.store.gateway.submit(submission)
            #expect(cached.jobs[0].state == .completed)
            try await f.add(submission.jobs[0])
            var policy = PrunePolicy(completed: 100 * hour, cancelled: hour, discarded: hour)
            policy.cachedCalls = hour
            f.clock.advance(hour - 1)
            #expect(try await f.store.maintenance.prune(policy).jobs == 0)
            f.clock.advance(1)
            #expect(try await f.store.maintenance.prune(policy, dryRun: true).jobs == 1)
            #expect(try await f.store.maintenance.prune(policy).jobs == 1)
            #expect(try f.state(cached.call) == nil && f.count(of: "jobs") == 2 && f.count(of: "gateway_calls") == 1)
            f.clock.advance(99 * hour)
            #expect(try await f.store.maintenance.prune(policy).jobs == 2)
            #expect(try f.count(of: "gateway_calls") == 0)
        }
    }

    @Test(arguments: [
        ("UPDATE gateway_calls SET call_id = 999", "not named by its first job"),
        ("UPDATE requests SET native = NULL", "not whole"), ("UPDATE jobs SET native = NULL", "not whole"),
    ])
    func theCheckFindsWhatIsDamaged(_ damage: String, _ sentence: String) async throws {
        try await withStore { f in
            let ticket = try await f.submit("hello")
            try f.raw().run(damage)
            #expect(try f.store.maintenance.check().faults.contains { $0.contains(sentence) })
            _ = try await f.store.jobs.cancel(ids: [ticket.call])
            _ = try await f.store.jobs.delete(ids: [ticket.call])
        }
    }
}
