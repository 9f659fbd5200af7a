import AgentQueueModel
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

/// Rows that no server of ours provokes, and what decides between close ones.
@Suite struct ClaudeCodeOutcomeTests {
    private static let now: Int64 = 1_795_000_000_000

    private func outcome(
        _ lines: [JSONValue] = [], _ result: JSONValue, stop: ClaudeCodeStop? = nil, hasSchema: Bool = false
    ) -> Outcome {
        decider(lines, hasSchema: hasSchema).decide(result, stop: stop)
    }

    private func decider(_ lines: [JSONValue], hasSchema: Bool = false) -> ClaudeCodeOutcome {
        var turn = ClaudeCodeTurn()
        for line in lines { _ = turn.read(line) }
        return ClaudeCodeOutcome(turn: turn, hasSchema: hasSchema, redaction: Redaction(secrets: []), now: Self.now, timeout: 1_000)
    }

    private func failed(_ members: JSONValue, after lines: [JSONValue] = []) -> ModelFailure? {
        let base: [JSONValue.Member] = [.init("type", "result"), .init("subtype", "success"), .init("is_error", true)]
        let own = members.members ?? []
        return outcome(lines, .object(base.filter { base in !own.contains { $0.key == base.key } } + own)).failure
    }

    private static let start: JSONValue = [
        "type": "stream_event",
        "event": ["type": "message_start", "message": ["model": "m", "usage": ["input_tokens": 10, "output_tokens": 1]]],
    ]
    private static let begun: JSONValue = ["type": "system", "subtype": "init"]
    private static func text(_ text: JSONValue) -> JSONValue {
        ["type": "stream_event", "event": ["type": "content_block_delta", "delta": ["type": "text_delta", "text": text]]]
    }
    private static func end(_ reason: JSONValue) -> JSONValue {
        ["type": "stream_event", "event": ["type": "message_delta", "delta": ["stop_reason": reason], "usage": ["output_tokens": 5]]]
    }
    private static let good: JSONValue = [
        "type": "result", "subtype": "success", "is_error": false, "num_turns": 1, "result": "trimmed", "stop_reason": "end_turn",
        "total_cost_usd": 0.25,
    ]

    @Test func theTextIsTheModelsOwnWhereItCameByPieces() throws {
        let reply = try #require(
            outcome([Self.begun, Self.start, Self.text(" a "), Self.text("b\n"), Self.end("end_turn")], Self.good).reply)
        #expect(reply.text == " a b\n")
        #expect(reply.usage == Usage(inputTokens: 10, outputTokens: 5))
        #expect(reply.model == "m")
        #expect(outcome([], Self.good).reply?.text == "trimmed")
    }

    /// A line with a part of the text cannot be read. The result repeats the text; without it, the answer is not whole.
    @Test func noTextIsLostWithALineThatCannotBeRead() throws {
        let gap: JSONValue = ["type": "unreadable"]
        let lines = [Self.begun, Self.start, Self.text("trim"), gap]
        #expect(outcome(lines + [Self.end("end_turn")], Self.good).reply?.text == "trimmed")
        let silent = JSONValue.object((Self.good.members ?? []).filter { $0.key != "result" })
        let lost = try #require(outcome(lines + [Self.end("end_turn")], silent).failure)
        #expect(lost.failure == .invalidReply)
        #expect(lost.message.contains("cannot be read"))
        #expect(failed(["stop_reason": "max_tokens"], after: lines + [Self.end("max_tokens")])?.failure == .invalidReply)
        // Before the job began, it was a banner.
        #expect(outcome([gap, Self.begun, Self.start, Self.text(" a "), Self.end("end_turn")], Self.good).reply?.text == " a ")
    }

    @Test func aCharacterCutBetweenPiecesIsWholeInTheResult() throws {
        let torn = [Self.begun, Self.start, Self.text("trim\u{FFFD}"), Self.text("\u{FFFD}med"), Self.end("end_turn")]
        #expect(outcome(torn, Self.good).reply?.text == "trimmed")
    }

    @Test func usageAndModelComeFromAllThatWasAsked() throws {
        var members = Self.good.members ?? []
        members.append(
            .init(
                "modelUsage",
                [
                    "small": ["inputTokens": 100, "outputTokens": 1, "cacheReadInputTokens": 7, "cacheCreationInputTokens": 5],
                    "large": ["inputTokens": 10, "outputTokens": 9],
                ]))
        let reply = try #require(outcome([Self.begun, Self.start, Self.text("x"), Self.start], .object(members)).reply)
        #expect(reply.usage == Usage(inputTokens: 122, outputTokens: 10, cacheReadTokens: 7, cacheWriteTokens: 5))
        #expect(reply.model == "large")
        #expect(reply.cost == 0.25)
        #expect(reply.calls == 2)
    }

    @Test func whatCostsNothingAlthoughItUsedTokensHasNoKnownPrice() {
        var members = (Self.good.members ?? []).filter { $0.key != "total_cost_usd" }
        members.append(.init("total_cost_usd", 0))
        #expect(outcome([Self.begun, Self.start, Self.text("x")], .object(members)).reply?.cost == nil)
    }

    private static let failures: [(JSONValue, FailureClass)] = [
        (["subtype": "error_max_turns", "errors": ["Reached maximum number of turns (1)"]] as JSONValue, .invalidReply),
        (["subtype": "error_max_budget_usd"] as JSONValue, .invalidReply),
        (["subtype": "error_max_structured_output_retries"] as JSONValue, .invalidReply),
        (["subtype": "error_during_execution"] as JSONValue, .retryable),
        (["subtype": "unreadable"] as JSONValue, .invalidReply),
        (["terminal_reason": "blocking_limit", "result": "Prompt is too long"] as JSONValue, .permanent),
        (["result": "Not logged in · Please run /login"] as JSONValue, .authentication),
        (["api_error_status": 503] as JSONValue, .overloaded),
        (["api_error_status": 408] as JSONValue, .retryable),
        (["api_error_status": 422] as JSONValue, .permanent),
        (["api_error_status": 504] as JSONValue, .retryable),
        (["result": "Request timed out. If the API is slow"] as JSONValue, .timedOut),
        (["api_error": "connection_failed"] as JSONValue, .retryable),
        ([:] as JSONValue, .retryable),
    ]

    @Test(arguments: failures) func aFailureIsClassed(members: JSONValue, failure: FailureClass) {
        #expect(failed(members)?.failure == failure)
    }

    @Test func aFailureSaysWhatItCost() throws {
        let failure = try #require(
            failed(["subtype": "error_max_turns", "total_cost_usd": 0.5], after: [Self.begun, Self.start, Self.text("x")]))
        #expect(failure.usage.inputTokens == 10)
        #expect(failure.calls == 1)
        #expect(failure.partialText == "x")
    }

    @Test(arguments: [
        ("five_hour", FailureScope.provider), ("seven_day", .provider), ("seven_day_opus", .target), ("seven_day_sonnet", .target),
        ("overage", .provider), ("new_kind", .provider),
    ]) func aPlansLimitParksWhomItIsAbout(kind: String, scope: FailureScope) throws {
        let event: JSONValue = [
            "type": "rate_limit_event",
            "rate_limit_info": ["status": "rejected", "resetsAt": .integer(Self.now / 1_000 + 90), "rateLimitType": .string(kind)],
        ]
        let members: JSONValue = ["api_error_status": 429, "api_error": "usage_limit_reached", "result": "You've hit your limit"]
        let failure = try #require(failed(members, after: [event]))
        #expect(failure.failure == .rateLimited)
        #expect(failure.scope == scope)
        #expect(failure.retryAfter == 90_000)
        // A limit that is near is none.
        let warning: JSONValue = [
            "type": "rate_limit_event", "rate_limit_info": ["status": "allowed_warning", "resetsAt": .integer(Self.now / 1_000 + 90)],
        ]
        let other = try #require(failed(["api_error_status": 429], after: [warning]))
        #expect(other.retryAfter == nil)
        #expect(other.scope == .target)
        #expect(outcome([warning], Self.good).reply != nil)
        #expect(outcome([event], Self.good).reply != nil)
    }

    @Test func hostileNumbersDoNotCrash() {
        let event: JSONValue = [
            "type": "rate_limit_event",
            "rate_limit_info": ["status": "rejected", "resetsAt": .integer(.max), "rateLimitType": "five_hour"],
        ]
        #expect(failed(["api_error_status": 429], after: [event])?.failure == .rateLimited)
        let huge: JSONValue = ["type": "rate_limit_event", "rate_limit_info": ["status": "rejected", "resetsAt": .double(1e300)]]
        #expect(failed(["api_error_status": 429], after: [huge])?.failure == .rateLimited)
        // So late that it comes out negative in ms.
        for seconds in [9_223_372_036_854_776, -9_223_372_036_854_775] as [Int64] {
            let far: JSONValue = [
                "type": "rate_limit_event", "rate_limit_info": ["status": "rejected", "resetsAt": .integer(seconds)],
            ]
            let failure = failed(["api_error_status": 429], after: [far])
            #expect(failure?.failure == .rateLimited)
            #expect(failure?.retryAfter == nil)
        }
        let usage: JSONValue = [
            "m": ["inputTokens": .integer(.max), "outputTokens": .integer(.min)], "n": ["inputTokens": .double(1e300)],
            "o": ["inputTokens": 7],
        ]
        #expect(failed(["modelUsage": usage, "total_cost_usd": -1])?.usage == Usage(inputTokens: 7))
    }

    @Test func aSchemaWithoutItsOutputIsNoAnswer() {
        #expect(outcome([], Self.good, hasSchema: true).failure?.failure == .invalidReply)
        var members = Self.good.members ?? []
        members.append(.init("structured_output", ["z": 1, "a": [true]]))
        #expect(outcome([], .object(members), hasSchema: true).reply?.text == #"{"z":1,"a":[true]}"#)
        let cut = [Self.begun, Self.start, Self.text("{"), Self.end("max_tokens")]
        #expect(outcome(cut, ["type": "result", "is_error": true], stop: .askedAgain, hasSchema: true).failure?.failure == .invalidReply)
    }

    @Test func tokensAreCountedUpWithinAResponse() {
        func usage(_ lines: [JSONValue]) -> Usage? { decider(lines).decide(.signal(9), stop: nil, isFirst: true).failure?.usage }
        func counted(_ tokens: JSONValue) -> JSONValue {
            ["type": "stream_event", "event": ["type": "message_delta", "delta": [:], "usage": ["output_tokens": tokens]]]
        }
        let silent: JSONValue = ["type": "stream_event", "event": ["type": "message_delta", "delta": [:]]]
        #expect(usage([Self.begun, Self.start, counted(3), counted(7), silent])?.outputTokens == 7)
        #expect(usage([Self.begun, Self.start, counted(3), counted(7), Self.start, counted(2), counted(4)])?.outputTokens == 11)
    }

    @Test(arguments: [
        ("error: unknown option '--no-such'", FailureClass.permanent),
        ("error: option '--effort <level>' argument 'x' is invalid", .permanent),
        ("Error: --json-schema is not a valid JSON Schema", .permanent),
        ("warning: old\nError: When using --print, --output-format=stream-json requires --verbose\n", .permanent),
        ("Error: Invalid session ID", .permanent), ("Invalid API URL", .permanent),
        ("ENOSPC: no space left on device, open '/tmp/Invalid '", .retryable), ("Killed", .retryable), ("Segmentation fault", .retryable),
        ("error: out of memory", .retryable),
    ])
    func onlyAUsageErrorIsNotTriedAgain(words: String, expected: FailureClass) throws {
        let failure = try #require(decider([]).decide(.exit(1, standardError: words), stop: nil, isFirst: true).failure)
        #expect(failure.failure == expected)
        #expect(failure.scope == (expected == .permanent ? .target : .provider))
        // What has answered before was started well.
        #expect(decider([]).decide(.exit(1, standardError: words), stop: nil, isFirst: false).failure?.failure == .retryable)
    }

    @Test func whatIsMaybePaidIsSaid() {
        func isMaybePaid(_ lines: [JSONValue], _ ending: ClaudeCodeEnding = .signal(9)) -> Bool? {
            decider(lines).decide(ending, stop: nil, isFirst: true).failure?.isMaybePaid
        }
        #expect(isMaybePaid([]) == false)
        #expect(isMaybePaid([Self.begun]) == true)
        #expect(isMaybePaid([Self.begun, Self.start]) == true)
        #expect(isMaybePaid([Self.begun, Self.start, Self.text("x"), Self.end("end_turn")]) == false)
        #expect(isMaybePaid([], .exit(1, standardError: "no")) == false)
    }
}
