import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueueWorker

/// A shared call, from its claim to the settlement of its jobs.
@Suite struct SharedCallRunTests {
    private func texts(_ count: Int) -> [String] { (0..<count).map { "t\($0)" } }

    @Test func oneCallAnswersAll() async throws {
        try await withBench { b in
            let ids = try await b.add(texts(20))
            #expect(try await b.round() == 1)
            #expect(b.provider.calls == [texts(20)])
            #expect(try b.counts(ids) == [.completed: 20])
            #expect(try b.store.jobs.get(ids[7])?.result?.reply["embeddings"]?.array?.first?.array?.first == .double(7.5))
            #expect(try b.int("SELECT sum(calls) FROM charges") == 1)
            #expect(try b.int("SELECT sum(input_tokens) FROM results") == 60 && b.int("SELECT input_tokens FROM lanes") == 60)
            #expect(try b.int("SELECT calls FROM lanes") == 1)
            #expect(b.events.count == 20 && b.events.allSatisfy { $0.state == .completed && $0.usage.inputTokens == 3 })
            // Each answer is cached for itself.
            let again = try await b.add(["t3"])
            #expect(try b.counts(again) == [.completed: 1])
        }
    }

    @Test func eachEndsByItsOwnOutcome() async throws {
        let provider = ScriptedProvider { texts, _ in
            var outcomes = ScriptedProvider.vectors(texts)
            outcomes[1] = .failure(ModelFailure(.permanent, "no"))
            outcomes[2] = .failure(ModelFailure(.retryable, "not now"))
            return outcomes
        }
        try await withBench(provider) { b in
            let ids = try await b.add(texts(4))
            #expect(try await b.round() == 1)
            #expect(try b.states(ids) == [.completed, .discarded, .retryable, .completed])
        }
    }

    @Test func tooFewOutcomes() async throws {
        let provider = ScriptedProvider { texts, _ in Array(ScriptedProvider.vectors(texts).prefix(2)) }
        try await withBench(provider) { b in
            let ids = try await b.add(texts(3))
            _ = try await b.round()
            #expect(try b.states(ids) == [.completed, .completed, .retryable])
            #expect(try b.store.jobs.get(ids[2])?.errors.first?.failure == .invalidReply)
        }
    }

    /// While a shared call is under way, its token is noted, and nothing after it.
    @Test func theCallIsNotedByItsToken() async throws {
        let gate = Gate()
        let provider = ScriptedProvider { texts, _ in
            try? await gate.wait()
            return ScriptedProvider.vectors(texts)
        }
        try await withBench(provider) { b in
            try await b.add(texts(3))
            let jobs = try await b.claim()
            async let run: Void = b.run(jobs)
            try await within(.seconds(20), "the call begins") { try await provider.begun.wait(atLeast: 1) }
            #expect(b.begunCalls == [-jobs[0].lease.token])
            #expect(b.inFlight.calls == 1 && b.inFlight.count == 3)
            gate.open()
            await run
            #expect(b.begunCalls == [])
        }
    }

    // MARK: Division

    @Test(arguments: [["t0"], ["t50"], ["t99"], ["t31", "t32"], ["t0", "t99"]])
    func badInputsFailAlone(_ bad: Set<String>) async throws {
        let provider = ScriptedProvider(ScriptedProvider.refusing(bad, .permanent, tokens: 5))
        try await withBench(provider) { b in
            let ids = try await b.add(texts(100))
            let calls = try await b.round()
            #expect(calls <= 1 + 15 * bad.count)
            #expect(try b.counts(ids) == [.completed: 100 - bad.count, .discarded: bad.count])
            for (id, text) in zip(ids, texts(100)) where bad.contains(text) { #expect(try b.store.jobs.states(of: [id])[id] == .discarded) }
            // What was charged is what was called for, answered or not.
            #expect(try b.int("SELECT sum(calls) FROM charges") == calls)
            let used = provider.calls.reduce(0) { $0 + (bad.isDisjoint(with: $1) ? $1.count * 3 : $1.count * 5) }
            #expect(try b.int("SELECT sum(input_tokens) FROM charges") == used)
            #expect(try b.int("SELECT input_tokens FROM lanes") == used && b.int("SELECT calls FROM lanes") == calls)
            // No attempt more than one, and nothing asked twice of a job that was answered.
            #expect(try b.int("SELECT max(attempt) FROM jobs") == 1)
        }
    }

    /// A server that is down gets one call at first, and no more than three in any later round.
    @Test(arguments: [FailureClass.retryable, .timedOut])
    func aServerThatFailsWhateverItIsSent(_ failure: FailureClass) async throws {
        let provider = ScriptedProvider { texts, _ in ScriptedProvider.failures(texts, failure) }
        try await withBench(provider) {
            // It would be left alone, and then asked by one job.
            $0.policies.breaker.consecutive = 1_000
            $0.policies.breaker.failureRate = 2
        } _: { b in
            let ids = try await b.add(texts(100)) { $0.maxAttempts = 5 }
            var calls: [Int] = []
            for _ in 0..<5 {
                calls.append(try await b.round())
                try await b.nextDay()
            }
            #expect(calls == [1, 3, 3, 3, 3])
            #expect(try b.counts(ids) == [.discarded: 100])
            #expect(try b.int("SELECT count(*) FROM job_errors") == 500)
        }
    }

    /// One input that breaks the server is found, once the queue has tried again.
    @Test func anInputThatBreaksTheServer() async throws {
        let provider = ScriptedProvider(ScriptedProvider.refusing(["t77"], .retryable))
        try await withBench(provider) {
            // Its part-calls open the breaker, and a failed probe is no attempt.
            $0.policies.breaker.consecutive = 1_000
            $0.policies.breaker.failureRate = 2
        } _: { b in
            let ids = try await b.add(texts(100)) { $0.maxAttempts = 3 }
            #expect(try await b.round() == 1)
            #expect(try b.counts(ids) == [.retryable: 100])
            try await b.nextDay()
            #expect(try await b.round() <= 16)
            #expect(try b.counts(ids) == [.completed: 99, .retryable: 1])
            try await b.nextDay()
            #expect(try await b.round() == 1)
            #expect(try b.store.jobs.get(ids[77])?.state == .discarded)
        }
    }

    /// Fresh company does not shield a bad input for as long as there is some.
    @Test func newcomersShieldNobody() async throws {
        let provider = ScriptedProvider(ScriptedProvider.refusing(["t0"], .retryable))
        try await withBench(provider) { b in
            let old = try await b.add(texts(4))
            _ = try await b.round()
            try await b.nextDay()
            let new = try await b.add(["n0", "n1", "n2", "n3"])
            _ = try await b.round()
            #expect(try b.counts(old + new) == [.completed: 7, .retryable: 1])
        }
    }

    @Test(arguments: [FailureClass.rateLimited, .overloaded, .authentication])
    func aProviderThatAsksToWaitIsNotAskedAgain(_ failure: FailureClass) async throws {
        let provider = ScriptedProvider { texts, _ in ScriptedProvider.failures(texts, failure) }
        try await withBench(provider) { b in
            let ids = try await b.add(texts(10))
            #expect(try await b.round() == 1)
            #expect(try b.counts(ids) == [.retryable: 10])
            #expect(try b.int("SELECT max(attempt) FROM jobs") == 0)
        }
    }

    /// Limits know of the calls that took the place of one.
    @Test func dividedCallsAreSetAsideFor() async throws {
        let provider = ScriptedProvider(ScriptedProvider.refusing(["t5"], .permanent, tokens: 5))
        try await withBench(provider) {
            $0.policies = CallPolicies(limits: ["local": CallLimits(requestsPerMinute: 1_000, concurrency: 1, usdPerDay: 1)]) { _, _, _ in
                CallEstimate(inputTokens: 3, worstCost: 0.001)
            }
        } _: { b in
            let ids = try await b.add(texts(16))
            let calls = try await b.round()
            #expect(try b.counts(ids) == [.completed: 15, .discarded: 1])
            #expect(try b.int("SELECT count(*) FROM reservations") == 0)
            let state = try #require(try b.store.providers.states().first { $0.name == "local" })
            #expect(state.running == 0 && state.reservedUSD == 0)
            #expect(Int((state.requests?.level ?? 0).rounded(.down)) >= 1_000 - calls)
            #expect(Int(state.requests?.level ?? 0) <= 1_000 - calls + 20)
        }
    }

    // MARK: Stopping

    private func held(_ gate: Gate) -> ScriptedProvider {
        ScriptedProvider { texts, _ in
            try? await gate.wait()
            return ScriptedProvider.vectors(texts)
        }
    }

    @Test func oneIsCancelled() async throws {
        let gate = Gate()
        try await withBench(held(gate)) { b in
            let ids = try await b.add(texts(4))
            let jobs = try await b.claim()
            async let run: Void = b.run(jobs)
            try await within(.seconds(20), "the call begins") { try await b.provider.begun.wait(atLeast: 1) }
            try await b.cancel([ids[1]])
            gate.open()
            await run
            #expect(b.provider.cancelled == 0)
            #expect(try b.states(ids) == [.completed, .cancelled, .completed, .completed])
            #expect(try b.store.jobs.get(ids[1])?.errors.map(\.failure) == [.cancelled])
            // Its part was paid for, and serves again.
            let again = try await b.add(["t1"])
            #expect(try b.states(again) == [.completed])
        }
    }

    @Test func allAreCancelled() async throws {
        let gate = Gate()
        try await withBench(held(gate)) { b in
            let ids = try await b.add(texts(3))
            let jobs = try await b.claim()
            async let run: Void = b.run(jobs)
            try await within(.seconds(20), "the call begins") { try await b.provider.begun.wait(atLeast: 1) }
            try await b.cancel(Array(ids.dropLast()))
            #expect(b.provider.cancelled == 0)
            try await b.cancel(ids)
            await run
            // Stopped with the last of them.
            #expect(b.provider.cancelled == 1 && b.provider.calls.count == 1)
            #expect(try b.states(ids) == [.cancelled, .cancelled, .cancelled])
            // It may have been paid for: once.
            #expect(try b.int("SELECT sum(calls) FROM charges WHERE outcome = 'doubtful'") == 1)
        }
    }

    @Test func theWorkerStops() async throws {
        let gate = Gate()
        try await withBench(held(gate)) { b in
            let ids = try await b.add(texts(3))
            let jobs = try await b.claim()
            async let run: Void = b.run(jobs)
            try await within(.seconds(20), "the call begins") { try await b.provider.begun.wait(atLeast: 1) }
            b.inFlight.stopAll(.shutdown)
            await run
            #expect(b.provider.cancelled == 1)
            #expect(try b.states(ids) == [.available, .available, .available])
            #expect(try b.int("SELECT max(attempt) FROM jobs") == 0)
        }
    }

    @Test func stoppedBeforeItBegan() async throws {
        try await withBench { b in
            let ids = try await b.add(texts(3))
            let jobs = try await b.claim()
            b.inFlight.stop(jobs[0].lease, .shutdown)
            try await b.cancel([ids[1]])
            await b.run(jobs)
            #expect(b.provider.calls == [["t2"]])
            #expect(try b.states(ids) == [.available, .cancelled, .completed])
            #expect(try b.store.jobs.get(ids[0])?.attempt == 0)
        }
    }

    /// A job that is cancelled while the others are called for again is not.
    @Test func cancelledBetweenTheCalls() async throws {
        let first = Gate()
        let provider = ScriptedProvider { texts, number in
            if number == 1 { try? await first.wait() }
            return texts.contains("t0") ? ScriptedProvider.failures(texts, .permanent) : ScriptedProvider.vectors(texts)
        }
        try await withBench(provider) { b in
            let ids = try await b.add(texts(4))
            let jobs = try await b.claim()
            async let run: Void = b.run(jobs)
            try await within(.seconds(20), "the call begins") { try await provider.begun.wait(atLeast: 1) }
            try await b.cancel([ids[3]])
            first.open()
            await run
            #expect(!provider.calls.dropFirst().joined().contains("t3"))
            #expect(try b.states(ids).dropLast() == [.discarded, .completed, .completed])
            #expect(try b.states(ids).last??.isFinal == true)
        }
    }
}
