import AgentQueueDialects
import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueProviders

/// Requests that share a prefix, in front of a server that notes when each comes.
@Suite(.timeLimit(.minutes(1))) struct AnthropicPromptCacheTests {
    static func asked(_ number: Int, system: String = "A long text.", _ members: JSONValue = [:]) -> ModelRequest {
        let messages: JSONValue = [
            ["role": "system", "content": .string(system)], ["role": "user", "content": .string("Question \(number)")],
        ]
        return ModelRequest(
            kind: .generate, target: Target(provider: "anthropic", model: "m"),
            body: .object([.init("messages", messages)] + (members.members ?? [])))
    }

    static func streams(_ request: RecordedRequest) -> Bool { request.text.contains(#""stream":true"#) }

    /// The leader streams, the others come in one piece.
    static func answer(_ request: RecordedRequest, after gate: Gate? = nil) -> ScriptedAnswer {
        streams(request)
            ? AnthropicSample.stream(AnthropicSample.shortStream, after: gate) : ScriptedAnswer(json: AnthropicSample.hello, after: gate)
    }

    @Test func oneGoesFirstAndTheOthersFollow() async throws {
        let gate = Gate()
        let first = Counter()
        let script = Script { request in
            first.add()
            return Self.answer(request, after: first.count == 1 ? gate : nil)
        }
        try await withAnthropic(promptCache: .fiveMinutes, answers: script) { provider, server in
            async let outcomes = provider.respond(to: (1...5).map { Self.asked($0) }, CallOptions(timeout: 60_000))
            try await server.waitForRequests(1)
            try await until("the others wait") { provider.prefixes.waiting == 4 }
            #expect(server.requests.count == 1)
            #expect(Self.streams(server.requests[0]))
            gate.open()
            #expect(await outcomes.compactMap(\.reply).count == 5)
            #expect(server.requests.count == 5)
            #expect(server.requests.filter(Self.streams).count == 1)
            // It is warm now: nobody waits.
            #expect(await provider.answer(Self.asked(6)).reply?.text == "Hello")
            #expect(provider.prefixes.waiting == 0)
        }
    }

    @Test func theFirstEventIsEnough() async throws {
        let begun = AnthropicSample.wire(AnthropicSample.events.prefix(1))
        let script = Script { request in
            Self.streams(request)
                ? AnthropicSample.stream(begun + Array(": more".utf8), ending: .stalled(afterBytes: begun.count)) : Self.answer(request)
        }
        try await withAnthropic(promptCache: .fiveMinutes, answers: script) { provider, server in
            let leader = Task { await provider.answer(Self.asked(1), timeout: 60_000) }
            try await server.waitForRequests(1)
            // Half of their time would take far longer than a test may.
            let followers = try await within(.seconds(30), "the others are answered") {
                await provider.respond(to: [Self.asked(2), Self.asked(3)], CallOptions(timeout: 600_000))
            }
            #expect(followers.compactMap(\.reply?.text) == ["Hello", "Hello"])
            leader.cancel()
            #expect(await leader.value.failure?.failure == .cancelled)
        }
    }

    @Test func theLeadersFailureHandsOver() async throws {
        let gate = Gate()
        let turn = Counter()
        let script = Script { request in
            turn.add()
            return turn.count == 1 ? ScriptedAnswer(529, json: "{}", after: gate) : Self.answer(request)
        }
        try await withAnthropic(promptCache: .oneHour, answers: script) { provider, server in
            async let outcomes = provider.respond(to: (1...4).map { Self.asked($0) }, CallOptions(timeout: 60_000))
            try await until("the others wait") { provider.prefixes.waiting == 3 }
            gate.open()
            let ends = await outcomes
            #expect(ends.compactMap(\.failure?.failure) == [.overloaded])
            #expect(ends.compactMap(\.reply).count == 3)
            #expect(server.requests.map(Self.streams) == [true, true, false, false])
        }
    }

    @Test func aCancelledLeaderHandsOver() async throws {
        let turn = Counter()
        let script = Script { request in
            turn.add()
            return turn.count == 1 ? .hang : Self.answer(request)
        }
        try await withAnthropic(promptCache: .fiveMinutes, answers: script) { provider, server in
            let leader = Task { await provider.answer(Self.asked(1), timeout: 60_000) }
            try await server.waitForRequests(1)
            let follower = Task { await provider.answer(Self.asked(2), timeout: 600_000) }
            try await until("the other waits") { provider.prefixes.waiting == 1 }
            leader.cancel()
            #expect(try await within(.seconds(30), "the other is answered") { await follower.value }.reply != nil)
            #expect(await leader.value.failure?.failure == .cancelled)
        }
    }

    @Test func aCancelledWaiterLeaves() async throws {
        let gate = Gate()
        try await withAnthropic(promptCache: .fiveMinutes, answers: Script { Self.answer($0, after: gate) }) { provider, server in
            let leader = Task { await provider.answer(Self.asked(1), timeout: 60_000) }
            try await server.waitForRequests(1)
            let follower = Task { await provider.answer(Self.asked(2), timeout: 60_000) }
            try await until("the other waits") { provider.prefixes.waiting == 1 }
            follower.cancel()
            let failure = try #require(await follower.value.failure)
            #expect(failure.failure == .cancelled)
            #expect(!failure.isMaybePaid && failure.calls == 0)
            #expect(provider.prefixes.waiting == 0)
            gate.open()
            #expect(await leader.value.reply != nil)
            #expect(server.requests.count == 1)
        }
    }

    @Test func nobodyWaitsBeyondHalfOfTheirTime() async throws {
        let turn = Counter()
        let script = Script { request in
            turn.add()
            return turn.count == 1 ? .hang : Self.answer(request)
        }
        try await withAnthropic(promptCache: .fiveMinutes, answers: script) { provider, server in
            let leader = Task { await provider.answer(Self.asked(1), timeout: 60_000) }
            try await server.waitForRequests(1)
            #expect(await provider.answer(Self.asked(2), timeout: 5_000).reply?.text == "Hello")
            // Its answer has warmed the prefix, whoever leads.
            #expect(await provider.answer(Self.asked(3), timeout: 60_000).reply?.text == "Hello")
            leader.cancel()
            #expect(await leader.value.failure?.failure == .cancelled)
        }
    }

    @Test func otherPrefixesDoNotWait() async throws {
        let gate = Gate()
        try await withAnthropic(promptCache: .fiveMinutes, answers: Script { Self.answer($0, after: gate) }) { provider, server in
            let requests = [Self.asked(1, system: "One."), Self.asked(1, system: "Another."), AnthropicSample.request]
            async let outcomes = provider.respond(to: requests, CallOptions(timeout: 60_000))
            try await server.waitForRequests(3)
            gate.open()
            #expect(await outcomes.compactMap(\.reply).count == 3)
        }
    }

    @Test func withoutTheSettingOnlyMarkedRequestsWait() async throws {
        let gate = Gate()
        try await withAnthropic(answers: Script { Self.answer($0, after: gate) }) { provider, server in
            let mark: JSONValue = ["cache_control": ["type": "ephemeral"]]
            let plain = (1...3).map { Self.asked($0) }
            let marked = (1...2).map { sample in Self.asked(9, .object((mark.members ?? []) + [.init("sample", .integer(sample))])) }
            async let outcomes = provider.respond(to: plain + marked, CallOptions(timeout: 60_000))
            try await server.waitForRequests(4)
            try await until("one of the marked waits") { provider.prefixes.waiting == 1 }
            gate.open()
            #expect(await outcomes.compactMap(\.reply).count == 5)
        }
    }

    @Test func anAnswerOfNoTokensIsNotStreamed() async throws {
        try await withAnthropic(promptCache: .fiveMinutes, answers: Script { Self.answer($0) }) { provider, server in
            #expect(await provider.answer(Self.asked(1, ["max_tokens": 0])).reply != nil)
            #expect(!Self.streams(server.requests[0]))
        }
    }
}
