import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueProviders

/// What the real program makes of every error that a server can answer with (https://docs.claude.com/en/api/errors), and of answers that
/// are none.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: ClaudeCodeScene.program != nil, "no claude: set AGENT_QUEUE_TEST_CLAUDE, or pip install claude-agent-sdk into .venv"))
struct ClaudeCodeFailureTests {
    /// A row of the table.
    struct Row: Sendable {
        var answer: ScriptedAnswer
        var failure: FailureClass
        var scope = FailureScope.target
        var message: String
        var requests = 1
    }

    private static let rows = [
        Row(
            answer: ScriptedClaude.error(401, "authentication_error", "invalid x-api-key"), failure: .authentication, scope: .provider,
            message: "claude failed with status 401 (authentication_error): Invalid API key"),
        Row(
            answer: ScriptedClaude.error(403, "permission_error", "not yours"), failure: .authentication, scope: .provider,
            message: "claude failed with status 403 (permission_error): Failed to authenticate. API Error: 403 not yours"),
        Row(
            answer: ScriptedClaude.error(400, "invalid_request_error", "bad thing"), failure: .permanent,
            message: "claude failed with status 400 (invalid_request_error): API Error: 400 bad thing"),
        Row(
            answer: ScriptedClaude.error(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
            failure: .quotaExhausted, scope: .provider,
            message: "claude failed with status 400 (invalid_request_error): Credit balance is too low"),
        Row(
            answer: ScriptedClaude.error(402, "billing_error", "pay"), failure: .quotaExhausted, scope: .provider,
            message: "claude failed with status 402 (billing_error)"),
        Row(
            answer: ScriptedClaude.error(400, "invalid_request_error", "prompt is too long: 300000 tokens > 200000 maximum"),
            failure: .permanent, message: "claude failed with status 400 (invalid_request_error): Prompt is too long"),
        Row(
            answer: ScriptedClaude.error(404, "not_found_error", "model: x"), failure: .permanent,
            message: "claude failed with status 404 (not_found_error): There's an issue with the selected model", requests: 2),
        Row(
            answer: ScriptedClaude.error(413, "request_too_large", "big"), failure: .permanent,
            message: "claude failed with status 413 (request_too_large): Request too large"),
        Row(
            answer: ScriptedClaude.error(429, "rate_limit_error", "slow"), failure: .rateLimited,
            message: "claude failed with status 429 (rate_limit_error): API Error: Request rejected (429) · slow"),
        Row(
            answer: ScriptedClaude.error(529, "overloaded_error", "Overloaded"), failure: .overloaded,
            message: "claude failed with status 529 (overloaded_error): API Error: 529 Overloaded"),
        Row(
            answer: ScriptedClaude.error(500, "api_error", "oops"), failure: .retryable,
            message: "claude failed with status 500 (api_error): API Error: 500 oops"),
    ]

    @Test func errorsAreClassedAndTheProcessGoesOn() async throws {
        try await ClaudeCodeScene.run(Script { Int($0.prompt ?? "").map { Self.rows[$0].answer } ?? ScriptedClaude.stream("fine") }) {
            scene in
            var requests = 0
            for (number, row) in Self.rows.enumerated() {
                let failure = try #require(await scene.ask("\(number)").failure)
                #expect(failure.failure == row.failure, "\(row.message)")
                #expect(failure.scope == row.scope, "\(row.message)")
                #expect(failure.message.hasPrefix(row.message), "\(failure.message)")
                #expect(failure.calls == 0)
                #expect(failure.usage == Usage())
                #expect(!failure.isMaybePaid)
                requests += row.requests
                #expect(scene.calls.count == requests, "\(row.message)")
            }
            #expect(await scene.ask("well?").reply?.text == "fine")
            #expect(scene.register.children.count == 1)
        }
    }

    /// A response that the program would ask again for, and pay for each time.
    struct Cut: Sendable {
        var answer: ScriptedAnswer
        var failure: FailureClass?
        var partialText: String?
    }

    private static let cuts = [
        "max_tokens": Cut(answer: ScriptedClaude.stream("Partial answer", stopReason: "max_tokens")),
        "max_tokens, no text": Cut(answer: ScriptedClaude.stream("", stopReason: "max_tokens"), failure: .invalidReply),
        "refusal": Cut(answer: ScriptedClaude.stream("I can", stopReason: "refusal"), failure: .refused, partialText: "I can"),
        "refusal, no text": Cut(answer: ScriptedClaude.stream("", stopReason: "refusal"), failure: .refused),
        "empty": Cut(answer: ScriptedClaude.stream(""), failure: .invalidReply),
        "broken": Cut(answer: ScriptedClaude.stream("Half", isWhole: false), failure: .retryable, partialText: "Half"),
    ]

    @Test func whatTheProgramWouldAskAgainIsAskedOnce() async throws {
        // What it asks again differs: it speaks of the first answer. It takes a while, as any model does, and never comes.
        let script = Script { request in
            if request.prompt == "well?" { return ScriptedClaude.stream("fine") }
            let isFirst = request.json["messages"]?.array?.allSatisfy { $0["role"]?.string != "assistant" } == true
            return Self.cuts[request.prompt ?? ""].flatMap { isFirst ? $0.answer : nil } ?? .hang
        }
        try await ClaudeCodeScene.run(script) { scene in
            for (name, cut) in Self.cuts.sorted(by: { $0.key < $1.key }) {
                let before = scene.calls.count
                let outcome = await scene.ask(name)
                if let failure = cut.failure {
                    #expect(outcome.failure?.failure == failure, "\(name): \(outcome)")
                    #expect(outcome.failure?.calls == 1, "\(name)")
                    #expect(outcome.failure?.usage.inputTokens == 17, "\(name)")
                    #expect(outcome.failure?.partialText == cut.partialText, "\(name)")
                    #expect(outcome.failure?.isMaybePaid == (name == "broken"), "\(name)")
                } else {
                    #expect(outcome.reply?.text == "Partial answer", "\(name): \(outcome)")
                    #expect(outcome.reply?.finishReason == "length")
                    #expect(outcome.reply?.calls == 1)
                    #expect(outcome.reply?.usage.inputTokens == 17)
                }
                #expect(await scene.ask("well?").reply?.text == "fine")
                // At most one was on its way when it was stopped.
                #expect(scene.calls.count - before <= 3, "\(name)")
            }
        }
    }

    @Test func aPlansLimitSaysWhenItEnds() async throws {
        let now = WallClock.milliseconds()
        let resetsAt = now / 1_000 + 1_800
        let script = Script {
            switch $0.prompt {
            case "opus": ScriptedClaude.planLimit("seven_day_opus", resetsAt: resetsAt)
            case "five": ScriptedClaude.planLimit("five_hour", resetsAt: resetsAt)
            case "429": ScriptedClaude.error(429, "rate_limit_error", "slow")
            case "401": ScriptedClaude.error(401, "authentication_error", "expired")
            default: ScriptedClaude.stream("fine")
            }
        }
        let options = ClaudeCodeScene.Options(apiKey: nil, extraEnvironment: ["CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-canary-token"])
        try await ClaudeCodeScene.run(script, options) { scene in
            #expect(await scene.ask("hi").reply?.text == "fine")
            #expect(scene.calls.first?["authorization"] == "Bearer sk-ant-oat01-canary-token")
            for (prompt, scope) in [("five", FailureScope.provider), ("opus", .target)] {
                let failure = try #require(await scene.ask(prompt).failure)
                #expect(failure.failure == .rateLimited)
                #expect(failure.scope == scope)
                #expect(failure.message.contains("You've hit your"))
                let wait = try #require(failure.retryAfter)
                #expect(wait > 1_700_000 && wait <= 1_801_000)
            }
            let slow = try #require(await scene.ask("429").failure)
            #expect(slow.failure == .rateLimited)
            #expect(slow.retryAfter == nil)
            let expired = try #require(await scene.ask("401").failure)
            #expect(expired.failure == .authentication)
            #expect(expired.scope == .provider)
        }
    }

    @Test func theProgramsOwnTimeLimitIsATimeout() async throws {
        try await ClaudeCodeScene.run(.always(.hang), .init(extraEnvironment: ["API_TIMEOUT_MS": "700"])) { scene in
            let failure = try #require(await scene.ask("hang").failure)
            #expect(failure.failure == .timedOut)
            #expect(failure.isMaybePaid)
        }
    }

    @Test func aServerThatGoesAwayIsWorthAnotherTry() async throws {
        try await ClaudeCodeScene.run(.always(ScriptedAnswer(body: [], ending: .droppedUnanswered))) { scene in
            let failure = try #require(await scene.ask("hi").failure)
            #expect(failure.failure == .retryable)
            #expect(failure.isMaybePaid, "\(failure)")
            #expect(scene.calls.count == 1)
        }
    }

    @Test func aServerThatIsNotThereIsWorthAnotherTry() async throws {
        // A port that nobody listens at.
        let nowhere = ClaudeCodeScene.Options(baseURL: "http://127.0.0.1:1")
        try await ClaudeCodeScene.run(.always(.hang), nowhere) { scene in
            let failure = try #require(await scene.ask("hi").failure)
            #expect(failure.failure == .retryable)
            #expect(!failure.isMaybePaid, "\(failure)")
        }
    }

    @Test func aBadSchemaIsNotTriedAgain() async throws {
        try await ClaudeCodeScene.run(.always(ScriptedClaude.stream("fine"))) { scene in
            let format: JSONValue = ["type": "json_schema", "json_schema": ["schema": ["type": "no such type"]]]
            let outcome = await scene.ask(["messages": [["role": "user", "content": "x"]], "response_format": format])
            #expect(outcome.failure?.failure == .permanent, "\(outcome)")
            #expect(scene.calls.isEmpty)
        }
    }
}
