import AgentQueueDialects
import AgentQueueModel
import Testing

@Suite struct GatewayErrorTests {
    struct Row: Sendable {
        var cause: GatewayError.Cause
        var openAI: (status: Int, type: String, code: String?)
        var anthropic: (status: Int, type: String)
        var retries: String?
    }

    private static let request = "invalid_request_error"

    /// The table of the design, row by row.
    static let rows: [Row] = [
        Row(cause: .malformed, openAI: (400, request, nil), anthropic: (400, request)),
        Row(cause: .unsupportedParameter, openAI: (400, request, "unsupported_parameter"), anthropic: (400, request)),
        Row(cause: .invalidKey, openAI: (401, request, "invalid_api_key"), anthropic: (401, "authentication_error")),
        Row(cause: .forbidden, openAI: (403, request, "permission_denied"), anthropic: (403, "permission_error")),
        Row(cause: .modelNotFound, openAI: (404, request, "model_not_found"), anthropic: (404, "not_found_error")),
        Row(cause: .notFound, openAI: (404, request, "not_found"), anthropic: (404, "not_found_error")),
        Row(cause: .methodNotAllowed, openAI: (405, request, nil), anthropic: (405, request)),
        Row(cause: .unsupportedMediaType, openAI: (415, request, nil), anthropic: (415, request)),
        Row(cause: .tooLarge, openAI: (413, request, "request_too_large"), anthropic: (413, "request_too_large")),
        Row(cause: .bodyTimeout, openAI: (408, request, "body_timeout"), anthropic: (408, request), retries: "true"),
        Row(cause: .idempotencyConflict, openAI: (422, request, "idempotency_conflict"), anthropic: (422, request), retries: "false"),
        Row(
            cause: .budgetSpent, openAI: (429, "insufficient_quota", "insufficient_quota"), anthropic: (402, "billing_error"),
            retries: "false"),
        Row(
            cause: .rateLimited, openAI: (429, "rate_limit_error", "rate_limit_exceeded"), anthropic: (429, "rate_limit_error"),
            retries: "false"),
        Row(
            cause: .providerUnavailable, openAI: (503, "server_error", "provider_unavailable"), anthropic: (503, "api_error"),
            retries: "false"),
        Row(
            cause: .overloaded, openAI: (503, "server_error", "server_is_overloaded"), anthropic: (529, "overloaded_error"), retries: "true"
        ),
        Row(
            cause: .storageUnavailable, openAI: (503, "server_error", "storage_unavailable"), anthropic: (503, "api_error"), retries: "true"
        ),
        Row(cause: .shuttingDown, openAI: (503, "server_error", "shutting_down"), anthropic: (503, "api_error"), retries: "true"),
        Row(cause: .upstream, openAI: (502, "server_error", "upstream_error"), anthropic: (502, "api_error"), retries: "false"),
        Row(cause: .invalidReply, openAI: (502, "server_error", "invalid_reply"), anthropic: (502, "api_error"), retries: "false"),
        Row(cause: .timeout, openAI: (504, "server_error", "timeout"), anthropic: (504, "timeout_error"), retries: "false"),
        Row(cause: .cancelled, openAI: (499, "server_error", "cancelled"), anthropic: (499, "api_error"), retries: "false"),
        Row(cause: .crashed, openAI: (500, "server_error", "crashed"), anthropic: (500, "api_error"), retries: "false"),
    ]

    @Test(arguments: rows.indices) func aCauseIsSaidInBothDialects(_ index: Int) throws {
        let row = Self.rows[index]
        let error = GatewayError(row.cause, "No: do this.")
        #expect(error.status(.openAI) == row.openAI.status)
        #expect(error.status(.anthropic) == row.anthropic.status)
        #expect(error.headers.first { $0.name == "x-should-retry" }?.value == row.retries)
        let code: JSONValue = row.openAI.code.map { .string($0) } ?? .null
        #expect(
            try json(error.body(.openAI, requestID: "req_1"))
                == ["error": ["message": "No: do this.", "type": .string(row.openAI.type), "param": .null, "code": code]])
        let anthropic = try json(error.body(.anthropic, requestID: "req_1"))
        #expect(anthropic["type"] == "error" && anthropic["request_id"] == "req_1")
        #expect(anthropic["error"]?["type"] == .string(row.anthropic.type))
        #expect(anthropic["error"]?["message"] == "No: do this.")
    }

    @Test func aRequestErrorNamesTheMember() throws {
        let error = GatewayError(RequestError("It must be a number.", param: "temperature"))
        #expect(
            text(error.body(.openAI, requestID: "r"))
                == #"{"error":{"message":"It must be a number.","type":"invalid_request_error","param":"temperature","code":null}}"#)
        #expect(
            text(error.body(.anthropic, requestID: "r"))
                == #"{"type":"error","error":{"type":"invalid_request_error","message":"temperature: It must be a number."},"request_id":"r"}"#
        )
        #expect(GatewayError(RequestError("x", status: 404, code: "model_not_found")).cause == .modelNotFound)
        #expect(GatewayError(RequestError("x", status: 413)).cause == .tooLarge)
    }

    private static let body =
        #"{ "error": {"message":"max_tokens is too large","type":"invalid_request_error","param":"max_tokens","code":"x"}}"#

    @Test func aProvidersRefusalOfTheRequestPassesUntouchedToItsOwnDialect() throws {
        let error = GatewayError(.permanent, message: "api answered 422", answer: ErrorAnswer(status: 422, form: .chat, body: Self.body))
        #expect(error.status(.openAI) == 422 && error.status(.anthropic) == 422)
        #expect(text(error.body(.openAI, requestID: "r")) == Self.body)
        #expect(
            text(error.body(.anthropic, requestID: "r"))
                == #"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens is too large","#
                + #""details":{"error_code":"x"}},"request_id":"r"}"#)
        #expect(error.headers.contains { $0 == ("x-should-retry", "false") })
    }

    @Test(arguments: [401, 402, 403, 429]) func aProvidersWordsAboutItsOwnKeyAreNotTheClients(_ status: Int) {
        let failure: FailureClass = status == 429 ? .rateLimited : status == 402 ? .quotaExhausted : .authentication
        let error = GatewayError(failure, message: "The key is refused.", answer: ErrorAnswer(status: status, form: .chat, body: Self.body))
        #expect(error.status(.openAI) == (status == 429 ? 429 : 503))
        #expect(!text(error.body(.openAI, requestID: "r")).contains("max_tokens"))
    }

    @Test func aProvidersFailureKeepsItsStatusAndBody() {
        let answer = ErrorAnswer(status: 529, form: .messages, body: #"{"type":"error","error":{"type":"overloaded_error","message":"o"}}"#)
        let error = GatewayError(.overloaded, message: "It is overloaded.", answer: answer)
        #expect(error.status(.openAI) == 529)
        #expect(text(error.body(.anthropic, requestID: "r")) == answer.body)
        #expect(text(error.body(.openAI, requestID: "r")).contains(#""type":"server_error","param":null,"code":"upstream_error""#))
        let page = GatewayError(.retryable, message: "m", answer: ErrorAnswer(status: 502, form: .chat, body: "<html>"))
        #expect(text(page.body(.openAI, requestID: "r")).contains("upstream_error"))
    }

    @Test func everyFailureHasItsCause() {
        let causes: [FailureClass: GatewayError.Cause] = [
            .permanent: .unsupportedParameter, .retryable: .upstream, .unreachable: .providerUnavailable, .rateLimited: .rateLimited,
            .overloaded: .upstream, .authentication: .providerUnavailable, .quotaExhausted: .providerUnavailable, .timedOut: .timeout,
            .cancelled: .cancelled, .invalidReply: .invalidReply, .refused: .upstream, .crashed: .crashed, .expired: .timeout,
            .dependency: .cancelled, .shutdown: .shuttingDown,
        ]
        for failure in FailureClass.allCases { #expect(GatewayError(failure, message: "m").cause == causes[failure]) }
    }

    @Test func aLongWaitIsToldAndNotSentAsRetryAfter() {
        let soon = GatewayError.closed(.rateLimited, "The limit is reached.", opensAt: 30_500, now: 1_000)
        #expect(soon.headers.contains { $0 == ("retry-after", "30") } && soon.headers.contains { $0 == ("retry-after-ms", "29500") })
        let late = GatewayError.closed(.rateLimited, "The limit is reached.", opensAt: 3_600_000, now: 1_000)
        #expect(!late.headers.contains { $0.name.hasPrefix("retry-after") })
        #expect(late.headers.contains { $0 == ("x-agent-queue-opens-at", "1970-01-01T01:00:00.000Z") })
        #expect(late.message == "The limit is reached. It opens at 1970-01-01T01:00:00.000Z.")
        #expect(GatewayError(.overloaded, "x").headers.contains { $0 == ("retry-after-ms", "1000") })
    }

    @Test func aMethodThatIsNotTakenNamesThoseThatAre() {
        var error = GatewayError(.methodNotAllowed, "Use POST.")
        error.allowedMethods = "POST"
        #expect(error.headers.contains { $0 == ("allow", "POST") })
    }
}
