import AgentQueueModel
import NIOHTTP1
import Testing

@testable import AgentQueueDialects
@testable import AgentQueueProviders

@Suite struct OpenAIErrorClassTests {
    static let table: [(Int, String, FailureClass)] = [
        (400, #"{"error":{"message":"bad","type":"invalid_request_error","param":null,"code":null}}"#, .permanent),
        (404, #"{"error":{"message":"no","type":"invalid_request_error","code":"model_not_found"}}"#, .permanent),
        (405, "", .permanent),
        (413, "", .permanent),
        (422, #"{"detail":[{"loc":["body","messages"],"msg":"field required","type":"missing","input":{"a":"b"}}]}"#, .permanent),
        (400, #"{"error":{"message":"long","type":"invalid_request_error","code":"context_length_exceeded"}}"#, .permanent),
        (500, #"{"error":{"message":"long","type":"exceed_context_size_error","code":400}}"#, .permanent),
        (301, "", .permanent),
        (401, #"{"error":{"message":"key","type":"invalid_request_error","code":"invalid_api_key"}}"#, .authentication),
        (403, #"{"error":"forbidden"}"#, .authentication),
        (402, "", .quotaExhausted),
        (429, #"{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}"#, .quotaExhausted),
        (429, #"{"error":{"message":"pay","type":"insufficient_quota","code":null}}"#, .quotaExhausted),
        (429, #"{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}"#, .rateLimited),
        (429, "", .rateLimited),
        (408, "", .retryable),
        (409, "", .retryable),
        (500, #"{"error":{"message":"oops","type":"server_error","code":null}}"#, .retryable),
        (500, "<html>", .retryable),
        (501, #"{"error":{"code":501,"message":"no embeddings","type":"not_supported_error"}}"#, .retryable),
        (502, "", .retryable),
        (504, "", .retryable),
        (500, #"{"error":{"message":"busy","type":"overloaded_error"}}"#, .overloaded),
        (503, #"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#, .overloaded),
        (503, #"{"error":"server busy, please try again. maximum pending requests exceeded"}"#, .overloaded),
        (529, "", .overloaded),
        (400, #"{"error":{"message":"filtered","code":"content_filter"}}"#, .refused),
        // A refused key that is a bad request: Gemini's and xAI's.
        (
            400,
            #"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","#
                + #""details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}]"#,
            .authentication
        ),
        (
            400, #"{"error":{"code":400,"message":"API key expired. Please renew the API key.","status":"INVALID_ARGUMENT"}}"#,
            .authentication
        ),
        (
            400, #"[{"error":{"code":400,"message":"Missing or invalid Authorization header.","status":"INVALID_ARGUMENT"}}]"#,
            .authentication
        ),
        (
            400,
            #"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: ab***yz. You can obtain an API key."}"#,
            .authentication
        ),
        (400, #"{"error":{"message":"Wrong.","type":"invalid_request_error","code":"invalid_api_key"}}"#, .authentication),
        (404, #"{"error":{"message":"Wrong.","code":"InvalidApiKey"}}"#, .authentication),
        (
            400,
            #"{"error":{"message":"{\n \"error\": {\"code\": 400, \"message\": \"API key not valid.\", \"status\": \"INVALID_ARGUMENT\"}}\n","#
                + #""code":400,"status":"Bad Request"}}"#,
            .authentication
        ),
        // The words may be the prompt's.
        (400, #"{"error":{"message":"Invalid value: 'Incorrect API key'","type":"invalid_request_error"}}"#, .permanent),
        (400, #"[{"error":{"code":400,"message":"Request contains an invalid argument.","status":"INVALID_ARGUMENT"}}]"#, .permanent),
        (429, #"[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]"#, .rateLimited),
        // Inside a good answer.
        (200, #"[{"error":{"code":400,"message":"API key not valid.","details":[{"reason":"API_KEY_INVALID"}]}}]"#, .authentication),
        (200, #"{"error":{"message":"slow","status":"RESOURCE_EXHAUSTED"}}"#, .rateLimited),
        (200, #"{"error":{"message":"slow","code":429}}"#, .rateLimited),
        (200, #"{"error":{"message":"slow","code":"429"}}"#, .rateLimited),
        (200, #"{"error":{"message":"down","code":502}}"#, .retryable),
        (200, #"{"error":{"message":"slow","type":"rate_limit_error"}}"#, .rateLimited),
        (200, #"{"error":{"message":"bad","type":"invalid_request_error"}}"#, .permanent),
        (200, #"{"error":{"message":"key","code":"invalid_api_key"}}"#, .authentication),
        (200, #"{"error":"boom"}"#, .retryable),
        (200, #"{"object":"error","message":"max length","type":"BadRequestError","param":null,"code":400}"#, .permanent),
    ]

    @Test(arguments: table.indices) func statusAndBodyDecideTheClass(row: Int) {
        let (status, body, expected) = Self.table[row]
        let error = (try? JSONValue.parse(body)).flatMap { OpenAIError(body: $0) }
        #expect(OpenAIErrorClass.classify(status: status, error: error) == expected, "\(status) \(body)")
    }

    @Test(arguments: [
        (#"{"error":"text"}"#, "text"),
        (#"{"error":{"message":"object","code":7}}"#, "object"),
        (#"{"error":[{"message":"list"}]}"#, "list"),
        (#"[{"error":{"message":"Gemini's list"}}]"#, "Gemini's list"),
        (#"{"object":"error","message":"vLLM's","type":"x","code":400}"#, "vLLM's"),
        (#"{"detail":"framework's"}"#, "framework's"),
        (#"{"detail":[{"loc":["body",0,"x"],"msg":"field required","input":"SECRET"}]}"#, "body.0.x: field required"),
        (#"{"message":"at the top"}"#, "at the top"),
        (#"{"error":{"message":"{\"error\":{\"message\":\"of the server behind\"}}","code":400}}"#, "of the server behind"),
        (#"{"error":{"message":"{not JSON}"}}"#, "{not JSON}"),
    ])
    func everyShapeOfErrorIsRead(body: String, message: String) throws {
        #expect(OpenAIError(body: try JSONValue.parse(body))?.message == message)
    }

    @Test(arguments: [#"{"error":null,"choices":[]}"#, #"{"error":"","data":[]}"#, #"{"choices":[],"message":"x"}"#, "{}", "[]", "1"])
    func noErrorIsReadWhereThereIsNone(body: String) throws {
        #expect(OpenAIError(body: try JSONValue.parse(body)) == nil)
    }

    func failure(_ status: Int, _ headers: HTTPHeaders, _ body: String = "", secrets: [String] = []) -> ModelFailure {
        let error = (try? JSONValue.parse(body)).flatMap { OpenAIError(body: $0) }
        return OpenAIErrorClass.failure(
            HTTPAnswer(status: status, headers: headers, body: Array(body.utf8)), error: error, url: "http://h/v1",
            redaction: Redaction(secrets: secrets), now: 784_111_777_000)
    }

    @Test func onlyThoseWorthRepeatingSayWhen() {
        #expect(failure(429, ["retry-after": "2"]).retryAfter == 2_000)
        #expect(failure(429, ["Retry-After-Ms": "250", "retry-after": "2"]).retryAfter == 250)
        #expect(failure(429, ["x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"]).retryAfter == 360_000)
        #expect(
            failure(429, ["x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"])
                .retryAfter == 1_000)
        #expect(failure(529, ["retry-after": "1.5"]).retryAfter == 1_500)
        #expect(failure(503, ["x-ratelimit-reset-requests": "1s"]).retryAfter == nil)
        #expect(failure(500, ["retry-after": "99999999"]).retryAfter == 86_400_000)
        #expect(failure(429, ["retry-after": "Sun, 06 Nov 1994 08:49:40 GMT"]).retryAfter == 3_000)
        #expect(failure(400, ["retry-after": "2"]).retryAfter == nil)
        #expect(failure(401, ["retry-after": "2"]).retryAfter == nil)
    }

    @Test(arguments: [
        (401, "", FailureScope.provider), (403, "", .target), (402, "", .provider), (429, "", .target),
        (429, #"{"error":{"code":"insufficient_quota"}}"#, .provider), (503, "", .target), (404, "", .target),
        (400, #"[{"error":{"code":400,"details":[{"reason":"API_KEY_INVALID"}]}}]"#, .provider),
        (400, #"{"error":"Incorrect API key provided: ab***yz."}"#, .provider),
        (200, #"{"error":{"code":401,"message":"key"}}"#, .provider), (200, #"{"error":{"code":403,"message":"no"}}"#, .target),
        (200, #"{"error":{"type":"permission_error"}}"#, .target), (200, #"{"error":{"type":"authentication_error"}}"#, .provider),
    ])
    func aFailureSaysWhomItIsAbout(status: Int, body: String, scope: FailureScope) {
        #expect(failure(status, [:], body).scope == scope)
    }

    @Test func limitsAreKeptWithTheFailure() {
        let headers: HTTPHeaders = ["x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1s"]
        #expect(failure(429, headers).limits == ObservedLimits(requests: .init(remaining: 0, resetAfter: 1_000)))
        #expect(failure(429, [:]).limits == nil)
    }

    @Test func theMessageIsOneCleanSentence() {
        let found = failure(404, ["x-request-id": "req-7"], #"{"error":{"message":"no\u0000 such\n\nmodel","code":"model_not_found"}}"#)
        #expect(found.message == "http://h/v1 answered 404 (model_not_found): no such model")
        #expect(found.requestID == "req-7")
        let google =
            #"[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]"#
        #expect(failure(400, [:], google).message == "http://h/v1 answered 400 (API_KEY_INVALID): API key not valid.")
        #expect(failure(502, [:], "upstream gone").message == "http://h/v1 answered 502: upstream gone")
        #expect(failure(502, [:], "<html><body>Bad Gateway").message == "http://h/v1 answered 502")
        #expect(failure(500, [:], #"{"error":"\#(String(repeating: "é", count: 2_000))"}"#).message.utf8.count <= 500)
        let echo = failure(401, [:], #"{"error":"Incorrect API key: sk-abcdefghijklmnop"}"#, secrets: ["sk-abcdefghijklmnop"])
        #expect(echo.message == "http://h/v1 answered 401: Incorrect API key: ***")
    }
}
