import AgentQueue
import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport

/// A conversation with a scripted upstream that speaks chat completions.
enum Chat {
    static let question = #"{"model":"local/m","messages":[{"role":"user","content":"Hi"}]}"#
    static let streamed = #"{"model":"local/m","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#

    static let whole = ScriptedAnswer(json: wholeText)
    static let wholeText =
        #"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","#
        + #""content":"Hello there"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#

    /// The beginning of a streamed answer, up to `Hello`.
    static let first = chunk(#"{"role":"assistant","content":""}"#) + chunk(#"{"content":"Hello"}"#)
    /// The rest of it.
    static let last = rest(" there")

    static func rest(_ text: String) -> String {
        chunk(#"{"content":""# + text + #""}"#) + chunk("{}", finish: #""stop""#)
            + #"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1","choices":[],"usage":{"#
            + #""prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"# + "\n\ndata: [DONE]\n\n"
    }

    static func chunk(_ delta: String, finish: String = "null") -> String {
        #"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1","choices":[{"index":0,"delta":"#
            + delta + #","finish_reason":"# + finish + "}]}\n\n"
    }

    static func call(_ body: String = question, _ headers: [(String, String)] = []) -> HTTPCall {
        HTTPCall(path: "/v1/chat/completions", headers: headers, body: body)
    }
}

extension LiveGateway {
    /// Waits until the newest call has lost its client.
    func untilLost() async throws {
        let store = queue.store
        try await until("the client is missed") {
            guard let job = try store.jobs.list(JobFilter(), limit: 1, before: nil).first else { return false }
            return try store.gateway.call(of: job.id)?.lostAt != nil
        }
    }
}
