import AgentQueueModel
import AgentQueueStore
import Testing

@testable import AgentQueueWorker

/// What the end of an attempt comes to, for a call at once and for an item of a provider's batch.
@Suite struct SettlementBuilderTests {
    private static let now: Int64 = 1_000_000

    private static func configuration() -> WorkerConfiguration {
        var configuration = WorkerConfiguration(prices: ["local/m": ModelPrice(input: 1_000_000, output: 2_000_000)])
        configuration.policies.estimate = { _, _, _ in CallEstimate(worstCost: 8) }
        configuration.memory = MemoryConfiguration(model: target("local/e"), recallTemplate: "{{memories}}")
        return configuration
    }

    private static func target(_ text: String) -> Target {
        let parts = text.split(separator: "/")
        return Target(provider: String(parts[0]), model: String(parts[1]))
    }

    private static func job(
        _ kind: JobKind = .generate, attempt: Int = 1, maxAttempts: Int = 3, route: String? = nil, body: String = #"{"messages":[]}"#
    ) -> ClaimedJob {
        ClaimedJob(
            lease: Lease(jobID: 7, token: 70), laneID: 1, batchID: nil, priority: 5, kind: kind, target: target("local/m"), body: body,
            digest: Array(repeating: 1, count: 32), attempt: attempt, maxAttempts: maxAttempts, crashes: 0, timeout: nil, useCache: true,
            route: route.map(target))
    }

    private func end(
        _ job: ClaimedJob, _ outcome: Outcome, _ origin: SettlementBuilder.Origin = .live, memory: JobCall.Memory = .none
    ) -> SettleRequest {
        let call = JobCall(job, memory)
        return SettlementBuilder(Self.configuration(), origin: origin).end(call, Attempt(outcome, latency: 40), now: Self.now).request
    }

    private static let reply = ModelReply(text: "yes", finishReason: "stop", usage: Usage(inputTokens: 3, outputTokens: 2))

    @Test(arguments: [(false, 7.0), (true, 3.5)])
    func anAnswerIsStoredCachedAndCharged(_ isBatch: Bool, _ cost: Double) {
        let request = end(Self.job(), .reply(Self.reply), isBatch ? .batch(priceShare: 0.5) : .live)
        #expect(request.settlement == Settlement(state: .completed) && request.error == nil)
        #expect(request.result?.answeredBy == .provider && request.result?.latency == 40 && request.result?.cost == cost)
        #expect(request.cache == CacheWrite(digest: Array(repeating: 1, count: 32), timeToLive: 1_800_000, createdAt: Self.now))
        #expect(request.call == CallReport(target: Self.target("local/m"), usage: Self.reply.usage, cost: cost))
    }

    @Test func aFallbacksAnswerIsKeptUnderItsOwnKey() {
        var job = Self.job(route: "other/m")
        job.answerDigest = Array(repeating: 2, count: 32)
        let request = end(job, .reply(Self.reply))
        #expect(request.result?.answeredBy == .fallback && request.result?.target == "other/m" && request.result?.cost == nil)
        #expect(request.cache?.digest == job.answerDigest && request.call?.target == Self.target("other/m"))
    }

    /// A limit on money would never be reached by answers whose tokens nobody counts.
    @Test func tokensThatAreNotCountedAreGuessed() {
        let request = end(Self.job(body: String(repeating: "x", count: 40)), .reply(ModelReply(text: "12345678", finishReason: "stop")))
        #expect(request.call?.usage == Usage(inputTokens: 11, outputTokens: 2) && request.call?.cost == 15)
        let said = end(Self.job(), .reply(ModelReply(text: "12345678", finishReason: "stop", cost: 0)))
        #expect(said.call?.usage == Usage() && said.call?.cost == 0)
    }

    @Test func anAnswerThatIsNotWhatWasAskedForCostsTheSame() {
        var call = JobCall(Self.job(.embed, body: String(repeating: "x", count: 40)))
        call.state = .ended(Attempt(.reply(ModelReply(embeddings: [])), latency: 1))
        call.check()
        guard case .ended(let attempt) = call.state else { return }
        let request = SettlementBuilder(Self.configuration()).end(call, attempt, now: Self.now).request
        #expect(request.error?.failure == .invalidReply && request.call?.usage == Usage(inputTokens: 11) && request.call?.cost == 11)
    }

    @Test func whatIsCutShortIsNotCached() {
        #expect(end(Self.job(), .reply(ModelReply(text: "a", finishReason: "length"))).cache == nil)
    }

    @Test(arguments: [
        (FailureClass.permanent, 1, JobState.discarded), (.retryable, 1, .retryable), (.retryable, 3, .discarded),
        (.timedOut, 1, .retryable),
        (.rateLimited, 3, .retryable), (.cancelled, 1, .cancelled), (.shutdown, 1, .available), (.invalidReply, 3, .discarded),
    ])
    func aFailureSaysWhatComesNext(_ failure: FailureClass, _ attempt: Int, _ state: JobState) {
        let request = end(Self.job(attempt: attempt), .failure(ModelFailure(failure, "no", usage: Usage(inputTokens: 4), calls: 1)))
        #expect(request.settlement.state == state && request.result == nil && request.cache == nil)
        // A job that is handed back has nothing to explain.
        #expect(request.error?.message == (failure == .shutdown ? nil : "no"))
        #expect(request.call?.failure == failure && request.call?.cost == 4 && request.call?.calls == 1)
    }

    @Test func theProvidersIdStandsWithTheMessage() {
        let request = end(Self.job(), .failure(ModelFailure(.permanent, "no", requestID: "r1")))
        #expect(request.error?.message == "no (request r1)")
    }

    /// A batch ended long ago: its items say nothing of how the provider fares now, and cost the batch's price.
    @Test func aBatchSaysNothingOfTheProvidersPace() {
        var failure = ModelFailure(.rateLimited, "later", retryAfter: 9_000, usage: Usage(inputTokens: 4), calls: 1, isMaybePaid: true)
        failure.wasSent = false
        let live = end(Self.job(), .failure(failure))
        #expect(live.call?.retryAfter == 9_000 && live.call?.wasSent == false)
        let batch = end(Self.job(), .failure(failure), .batch(priceShare: 0.5))
        #expect(batch.call?.retryAfter == nil && batch.call?.wasSent == true && batch.call?.cost == 2)
        #expect(live.call?.maybeCost == 8 && batch.call?.maybeCost == 4)
        #expect(batch.settlement == live.settlement)
    }

    @Test func memoriesStandWithTheMemoryNotInTheResult() throws {
        let order = MemoryOrder(namespace: "notes", prefix: "p: ")
        let new = NewJob(order, texts: ["a", "b"], target: Self.target("local/e"), identity: "x")
        var job = Self.job(.memorize, body: new.body)
        job.target = Self.target("local/e")
        job.route = job.target
        var plan = try MemorizePlan(job, nil, identity: "x", makesVectors: true)
        #expect(throws: InvalidAnswer.self) { try plan.take([[1, 0]]) }
        #expect(throws: InvalidAnswer.self) { try plan.take([[1, 0], [0, 0]]) }
        #expect(plan.open == [0, 1] && plan.brought.isEmpty)
        try plan.take([[1, 0], [0, 1]])
        let request = end(
            job, .reply(ModelReply(embeddings: [[1, 0], [0, 1]], usage: Usage(inputTokens: 2))), memory: .memorize(plan))
        #expect(request.memories != nil && request.cache == nil && request.result?.reply["embeddings"] == nil)
        #expect(request.rescued.map(\.entry.digest) == plan.digests)
        #expect(request.call?.usage == Usage(inputTokens: 2))
        let free = SettlementBuilder(Self.configuration()).endWithoutCall(JobCall(job, .memorize(plan)), now: Self.now).request
        #expect(free.memories != nil && free.call == nil && free.result?.answeredBy == .cache)
    }

    // MARK: Checking

    @Test func anAnswerIsHeldAgainstItsRequest() throws {
        var embed = JobCall(Self.job(.embed))
        embed.state = .ended(Attempt(.reply(ModelReply(embeddings: [[1], [2]], usage: Usage(inputTokens: 5), calls: 0)), latency: 1))
        embed.check()
        guard case .ended(let attempt) = embed.state, case .failure(let failure) = attempt.outcome else {
            Issue.record("two embeddings for one text are taken")
            return
        }
        #expect(attempt.isMismatch && attempt.isAnswered && failure.failure == .invalidReply)
        // What was paid stays on record.
        #expect(failure.usage == Usage(inputTokens: 5) && failure.calls == 1)
    }

    @Test func anAnswerWithASchemaIsKeptWholeIfItHasMoreThanItsJSON() throws {
        let format: JSONValue = [
            "type": "json_schema",
            "json_schema": ["name": "a", "schema": ["type": "object", "required": ["n"], "properties": ["n": ["type": "integer"]]]],
        ]
        let thought = "<think>\nOne?\n</think>\n{\"n\": 1}"
        let answers: [(String, String?)] = [
            ("```json\n{\"n\": 1}\n```", "{\"n\": 1}"), (thought, thought), ("{\"n\": \"one\"}", nil),
        ]
        for (text, kept) in answers {
            var call = JobCall(Self.job())
            call.schema = try ModelRequest(
                kind: .generate, target: Self.target("local/m"), body: ["messages": [], "response_format": format]
            ).schema
            call.state = .ended(Attempt(.reply(ModelReply(text: text, finishReason: "stop")), latency: 1))
            call.check()
            guard case .ended(let attempt) = call.state else { continue }
            #expect(attempt.isMismatch == (kept == nil))
            switch attempt.outcome {
            case .reply(let reply): #expect(reply.text == kept)
            case .failure(let failure): #expect(kept == nil && failure.partialText == text)
            }
        }
    }
}
