import AgentQueueTestSupport
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite(.timeLimit(.minutes(1))) struct PromptPrefixGateTests {
    static let prefix = PromptPrefix(hash: 1, timeToLive: 1_000)

    /// Leaders that fail, are cancelled, or answer; waiters that are cancelled: whatever happens, everybody's turn comes, and there
    /// is one leader at a time.
    @Test(arguments: 0..<5) func everybodysTurnComes(round: Int) async throws {
        // Nothing is warm for long: the clock runs ahead.
        let time = Counter()
        let gate = PromptPrefixGate(clock: {
            time.add(700)
            return Int64(time.count)
        })
        let leading = Counter()
        let ended = Counter()
        try await within(.seconds(30), "all end") {
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    let call = Task {
                        guard let pass = await gate.pass(at: Self.prefix, until: .now + .seconds(20)) else { return }
                        if pass.leads { leading.add() }
                        await Task.yield()
                        if number % 3 == 0 { gate.begin(pass) }
                        gate.end(pass, answered: number % 3 != 1 && !Task.isCancelled)
                    }
                    group.addTask {
                        if (number + round) % 4 == 0 { call.cancel() }
                        await call.value
                        ended.add()
                    }
                }
            }
        }
        #expect(ended.count == 200)
        #expect(leading.count > 0)
        #expect(gate.waiting == 0)
        // Nothing is left behind: the next one leads, or finds it warm.
        #expect(await gate.pass(at: Self.prefix, until: .now + .seconds(5)) != nil)
    }

    @Test func whoStoppedWaitingIsNotMadeTheLeader() async throws {
        let gate = PromptPrefixGate(clock: { 0 })
        let leader = try #require(await gate.pass(at: Self.prefix, until: .now + .seconds(60)))
        let second = Task { await gate.pass(at: Self.prefix, until: .now + .seconds(600)) }
        try await until("the second waits") { gate.waiting == 1 }
        let third = Task { await gate.pass(at: Self.prefix, until: .now + .seconds(600)) }
        try await until("the third waits") { gate.waiting == 2 }
        second.cancel()
        #expect(await second.value.map(\.leads) == nil)
        gate.end(leader, answered: false)
        let pass = try await within(.seconds(20), "the third's turn comes") { await third.value }
        #expect(pass?.leads == true)
    }

    @Test func whoStoppedWaitingForTimeIsNotMadeTheLeader() async throws {
        let gate = PromptPrefixGate(clock: { 0 })
        let leader = try #require(await gate.pass(at: Self.prefix, until: .now + .seconds(60)))
        let second = try #require(await gate.pass(at: Self.prefix, until: .now + .milliseconds(20)))
        #expect(!second.leads)
        gate.end(leader, answered: false)
        #expect(try #require(await gate.pass(at: Self.prefix, until: .now + .seconds(600))).leads)
    }

    /// A turn that comes while its waiter is about to wait, or about to give up, is not lost: somebody leads afterwards.
    @Test func noTurnIsLostBetweenTwoMoments() async throws {
        for round in 0..<400 {
            let gate = PromptPrefixGate(clock: { 0 })
            let leader = try #require(await gate.pass(at: Self.prefix, until: .now + .seconds(60)))
            async let waiter = gate.pass(at: Self.prefix, until: .now + .microseconds(round * 10))
            for _ in 0..<round % 40 { await Task.yield() }
            gate.end(leader, answered: false)
            let second = try #require(await waiter)
            if second.leads { gate.end(second, answered: false) }
            let third = try #require(await gate.pass(at: Self.prefix, until: .now + .seconds(2)))
            #expect(third.leads, "round \(round)")
        }
    }

    @Test func whoIsCancelledBeforehandDoesNotWait() async throws {
        let gate = PromptPrefixGate(clock: { 0 })
        let leader = try #require(await gate.pass(at: Self.prefix, until: .now + .seconds(60)))
        #expect(leader.leads)
        let cancelled = Task {
            while !Task.isCancelled { await Task.yield() }
            return await gate.pass(at: Self.prefix, until: .now + .seconds(60)) == nil
        }
        cancelled.cancel()
        #expect(await cancelled.value)
        #expect(gate.waiting == 0)
        gate.end(leader, answered: false)
        #expect(try #require(await gate.pass(at: Self.prefix, until: .now + .seconds(60))).leads)
    }
}
