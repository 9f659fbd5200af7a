import AgentQueueModel
import NIOHTTP1
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite struct AnthropicErrorClassTests {
    struct Row: Sendable {
        var status: Int
        var body: String
        var failure: FailureClass
        var scope = FailureScope.target

        init(_ status: Int, _ type: String, _ failure: FailureClass, _ scope: FailureScope = .target, message: String = "words") {
            self.init(status, body: #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"}}"#, failure, scope)
        }

        init(_ status: Int, body: String, _ failure: FailureClass, _ scope: FailureScope = .target) {
            self.status = status
            self.body = body
            self.failure = failure
            self.scope = scope
        }
    }

    static let table: [Row] = [
        Row(400, "invalid_request_error", .permanent),
        Row(400, "invalid_request_error", .quotaExhausted, .provider, message: "Your credit balance is too low to access the API."),
        Row(400, "invalid_request_error", .quotaExhausted, .provider, message: "You have reached your specified API usage limits."),
        Row(401, "authentication_error", .authentication, .provider),
        Row(402, "billing_error", .quotaExhausted, .provider),
        Row(403, "permission_error", .authentication),
        Row(404, "not_found_error", .permanent),
        Row(409, "conflict_error", .retryable),
        Row(413, "request_too_large", .permanent),
        Row(422, "invalid_request_error", .permanent),
        Row(429, "rate_limit_error", .rateLimited),
        Row(500, "api_error", .retryable),
        Row(504, "timeout_error", .retryable),
        Row(529, "overloaded_error", .overloaded),
        Row(500, "overloaded_error", .overloaded),
        Row(400, "invalid_request_error", .authentication, .provider, message: "Invalid API key"),
        Row(400, body: #"{"error":{"message":"no","code":"invalid_api_key"}}"#, .authentication, .provider),
        Row(403, "permission_error", .authentication, message: "Invalid API key"),
        // Of proxies and local servers.
        Row(301, body: "", .permanent),
        Row(408, body: "", .retryable),
        Row(429, body: "", .rateLimited),
        Row(502, body: "<html>", .retryable),
        Row(503, body: #"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#, .overloaded),
        Row(500, body: #"{"error":{"code":500,"message":"'messages' is required","type":"server_error"}}"#, .retryable),
        Row(500, body: #"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}"#, .permanent),
        Row(404, body: #"{"error":"model not found"}"#, .permanent),
        Row(422, body: #"{"detail":[{"loc":["body","messages"],"msg":"field required"}]}"#, .permanent),
        // Inside a good answer, or its stream.
        Row(200, "invalid_request_error", .permanent),
        Row(200, "authentication_error", .authentication, .provider),
        Row(200, "billing_error", .quotaExhausted, .provider),
        Row(200, "permission_error", .authentication),
        Row(200, "not_found_error", .permanent),
        Row(200, "conflict_error", .retryable),
        Row(200, "request_too_large", .permanent),
        Row(200, "rate_limit_error", .rateLimited),
        Row(200, "api_error", .retryable),
        Row(200, "timeout_error", .retryable),
        Row(200, "overloaded_error", .overloaded),
        Row(200, "error_of_tomorrow", .retryable),
        Row(200, body: #"{"error":{"message":"slow","code":429}}"#, .rateLimited),
    ]

    @Test(arguments: table.indices) func statusAndTypeDecide(index: Int) {
        let row = Self.table[index]
        let error = (try? JSONValue.parse(row.body)).flatMap { OpenAIError(body: $0) }
        let (failure, scope) = AnthropicErrorClass.classify(status: row.status, error: error)
        #expect(failure == row.failure, "\(row)")
        #expect(scope == row.scope, "\(row)")
    }

    /// Wall clock of the tests: 2026-11-22T08:00:00Z.
    static let now: Int64 = 1_795_334_400_000

    func failure(_ status: Int, _ headers: HTTPHeaders, _ body: String = "{}") -> ModelFailure {
        AnthropicErrorClass.failure(
            HTTPAnswer(status: status, headers: headers, body: Array(body.utf8)),
            error: (try? JSONValue.parse(body)).flatMap { OpenAIError(body: $0) },
            url: "http://h", redaction: Redaction(secrets: ["sk-ant-123456789"]), now: Self.now)
    }

    @Test func theWaitIsTheServers() {
        #expect(failure(429, ["retry-after": "7"]).retryAfter == 7_000)
        #expect(failure(529, ["retry-after": "2"]).retryAfter == 2_000)
        #expect(failure(529, [:]).retryAfter == nil)
        #expect(failure(400, ["retry-after": "7"]).retryAfter == nil)
        let usedUp: HTTPHeaders = [
            "anthropic-ratelimit-requests-remaining": "9", "anthropic-ratelimit-requests-reset": "2026-11-22T08:09:00Z",
            "anthropic-ratelimit-input-tokens-remaining": "0", "anthropic-ratelimit-input-tokens-reset": "2026-11-22T08:00:03Z",
        ]
        #expect(failure(429, usedUp).retryAfter == 3_000)
        #expect(failure(429, usedUp).limits?.inputTokens?.remaining == 0)
        #expect(failure(500, usedUp).limits?.requests == .init(remaining: 9, resetAfter: 540_000))
    }

    @Test func aSpentSubscriptionIsTheWholeProviders() {
        let reset = "\(Self.now / 1_000 + 3_600)"
        let rejected = failure(
            429, ["anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": reset, "retry-after": "5"])
        #expect(rejected.scope == .provider)
        #expect(rejected.retryAfter == 3_600_000)
        let claimed: HTTPHeaders = [
            "anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-representative-claim": "five_hour",
            "anthropic-ratelimit-unified-5h-reset": reset,
        ]
        #expect(failure(429, claimed).retryAfter == 3_600_000)
        let allowed = failure(429, ["anthropic-ratelimit-unified-status": "allowed_warning", "anthropic-ratelimit-unified-reset": reset])
        #expect(allowed.scope == .target)
        #expect(allowed.retryAfter == nil)
        let past = failure(
            429, ["anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": "5", "retry-after": "5"])
        #expect(past.retryAfter == 5_000)
        let far = failure(429, ["anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": "9999999999"])
        #expect(far.retryAfter == 86_400_000)
        #expect(
            failure(429, ["anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": "9223372036854775807"])
                .retryAfter == nil)
    }

    @Test func theSentenceIsCleanAndOneLine() {
        let body = #"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key\n sk-ant-123456789"}}"#
        let failure = failure(401, ["request-id": "req_1"], body)
        #expect(failure.message == "http://h answered 401 (authentication_error): invalid x-api-key ***")
        #expect(failure.requestID == "req_1")
        #expect(self.failure(302, ["location": "x"]).message == "http://h answered 302, a redirect: the base URL is not the API's own")
    }
}
