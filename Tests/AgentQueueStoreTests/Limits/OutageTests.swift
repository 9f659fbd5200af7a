import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// A server that is down: no connection can be made, so nothing is sent.
@Suite struct OutageTests {
    private func fail(_ job: ClaimedJob, _ f: Fixture, _ policies: CallPolicies = CallPolicies()) async throws {
        try await f.settle(job, .failed(job, .unreachable, scope: .provider), policies)
    }

    /// One call tries it, after a second, two, four and so on, and up to half a minute: sooner by a fifth at most.
    @Test func aProviderThatCannotBeReachedIsTriedByOneCallAtATime() async throws {
        try await withStore { f in
            _ = try await f.add(20)
            for wait in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] as [Int64] {
                let jobs = try await f.claim(CallPolicies())
                #expect(wait == 1_000 ? jobs.count == 20 : jobs.count == 1)
                for job in jobs { try await fail(job, f) }
                let state = try #require(try f.state(of: "local"))
                let pause = try #require(state.pausedUntil) - f.clock.wall
                #expect((wait * 4 / 5...wait).contains(pause), "\(pause)")
                #expect(state.pauseClass == .unreachable && state.pauseReason == "it failed" && state.breaker == .closed)
                let round = try await f.round(CallPolicies())
                // After the first round every job waits for its next attempt; later the others wait for the provider.
                #expect(round.jobs.isEmpty && round.nextOpening == (wait == 1_000 ? nil : state.pausedUntil))
                f.clock.advance(max(pause, 10_000))
                _ = try await f.store.maintenance.promote()
            }
            // No attempt counted, however often it was tried.
            #expect(try f.raw().int("SELECT max(attempt) FROM jobs") == 0)
            #expect(try f.charges() == [])
            f.clock.advance(30_000)
            let back = try await f.claim(CallPolicies())
            #expect(back.count == 1)
            try await f.answer(back[0])
            #expect(try f.state(of: "local")?.pausedUntil == nil)
            #expect(try await f.claim(CallPolicies()).count > 1)
        }
    }

    @Test func whatWasReservedIsGivenBack() async throws {
        try await withStore { f in
            let policies = CallPolicies.limiting(["local/m": CallLimits(requestsPerMinute: 2, tokensPerMinute: 1_000)], tokens: 500)
            _ = try await f.add(1)
            let job = try #require(try await f.claim(policies).first)
            try await fail(job, f, policies)
            let state = try #require(try f.state(of: "local/m"))
            #expect(state.running == 0 && state.requests?.level == 2 && state.tokens?.level == 1_000)
        }
    }

    /// What was sent, or may have been, counts as before.
    @Test func aBrokenConnectionCounts() async throws {
        try await withStore { f in
            _ = try await f.add(1)
            let job = try #require(try await f.claim(CallPolicies()).first)
            try await f.settle(job, .failed(job, .retryable))
            #expect(try f.raw().int("SELECT max(attempt) FROM jobs") == 1)
            #expect(try f.state(of: "local/m")?.pausedUntil == nil)
        }
    }
}
