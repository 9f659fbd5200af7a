import AgentQueueModel
import AgentQueueTestSupport

@testable import AgentQueueDialects
@testable import AgentQueueProviders

/// Lends an Anthropic provider in front of a scripted server.
func withAnthropic<Value>(
    key: String? = nil, version: String = "2023-06-01", promptCache: PromptCache = .off, path: String = "", answers: Script,
    _ body: (AnthropicProvider, ScriptedServer) async throws -> Value
) async throws -> Value {
    try await ScriptedServer.withServer(answers) { server in
        try await withAnthropic(
            server.url + path, key: key, version: version, promptCache: promptCache, body: { try await body($0, server) })
    }
}

/// Lends an Anthropic provider in front of a server that always gives the same answer.
func withAnthropic<Value>(
    key: String? = nil, answer: ScriptedAnswer, _ body: (AnthropicProvider, ScriptedServer) async throws -> Value
) async throws -> Value {
    try await withAnthropic(key: key, answers: .always(answer), body)
}

/// Lends an Anthropic provider in front of any server.
func withAnthropic<Value>(
    _ url: String, key: String? = nil, version: String = "2023-06-01", promptCache: PromptCache = .off,
    body: (AnthropicProvider) async throws -> Value
) async throws -> Value {
    let transport = HTTPTransport(HTTPTransport.Configuration(maxRetries: 0))
    let provider = AnthropicProvider(
        name: "anthropic", baseURL: url, apiKey: key, version: version, promptCache: promptCache, transport: transport,
        now: { 1_795_000_000_000 })
    do {
        let value = try await body(provider)
        try await transport.shutdown()
        return value
    } catch {
        try await transport.shutdown()
        throw error
    }
}

extension AnthropicProvider {
    /// One request's outcome.
    func answer(
        _ request: ModelRequest, timeout: Int64 = 10_000, key: String = "", onText: (@Sendable (String) -> Void)? = nil
    ) async -> Outcome {
        let outcomes = await respond(to: [request], CallOptions(timeout: timeout, idempotencyKey: key, onText: onText))
        return outcomes.count == 1 ? outcomes[0] : .failure(ModelFailure(.permanent, "\(outcomes.count) outcomes"))
    }
}

enum AnthropicSample {
    /// A request of one message.
    static let request = asked("How are you today?")

    /// A request of one message, and more members.
    static func asked(_ text: String, _ members: JSONValue = [:]) -> ModelRequest {
        ModelRequest(
            kind: .generate, target: Target(provider: "anthropic", model: "claude-sonnet-5"),
            body: .object([.init("messages", [["role": "user", "content": .string(text)]])] + (members.members ?? [])))
    }

    /// A good answer in one piece.
    static let hello =
        #"{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[{"type":"text","text":"Hello"}],"#
        + #""stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":3,"#
        + #""cache_creation_input_tokens":100,"cache_read_input_tokens":1000}}"#

    /// The events of a good stream, in each of their kinds: it thinks, says "Hello, world", and calls a tool.
    static let events: [(name: String, data: String)] = [
        (
            "message_start",
            #"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[],"#
                + #""stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":1,"cache_read_input_tokens":30}}}"#
        ),
        ("ping", #"{"type":"ping"}"#),
        (
            "content_block_start",
            #"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#
        ),
        ("content_block_delta", #"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me "}}"#),
        ("content_block_delta", #"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"think."}}"#),
        ("content_block_delta", #"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#),
        ("content_block_stop", #"{"type":"content_block_stop","index":0}"#),
        ("content_block_start", #"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#),
        ("content_block_delta", #"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Hello, "}}"#),
        ("brand_new_event", "what nobody knows"),
        ("content_block_delta", #"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"w\u00f6rld"}}"#),
        (
            "content_block_delta",
            #"{"type":"content_block_delta","index":1,"delta":{"type":"citations_delta","citation":{"cited_text":"c"}}}"#
        ),
        ("content_block_delta", #"{"type":"content_block_delta","index":1,"delta":{"type":"brand_new_delta","x":1}}"#),
        ("content_block_stop", #"{"type":"content_block_stop","index":1}"#),
        (
            "content_block_start",
            #"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"get_x","input":{}}}"#
        ),
        ("content_block_delta", #"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}"#),
        (
            "content_block_delta",
            #"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"q\": \"a"}}"#
        ),
        ("content_block_delta", #"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"b\"}"}}"#),
        ("content_block_stop", #"{"type":"content_block_stop","index":2}"#),
        (
            "message_delta",
            #"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":20}}"#
        ),
        ("message_stop", #"{"type":"message_stop"}"#),
    ]

    /// What the whole of ``events`` comes to.
    static let reply = ModelReply(
        text: "Hello, wörld", finishReason: "tool_calls",
        usage: Usage(inputTokens: 42, outputTokens: 20, cacheReadTokens: 30, cacheWriteTokens: 0), model: "claude-sonnet-5",
        requestID: "msg_1",
        toolCalls: [["id": "toolu_1", "type": "function", "function": ["name": "get_x", "arguments": #"{"q":"ab"}"#]]],
        reasoning: "Let me think.")

    /// Events as they are on the wire.
    static func wire(_ events: some Sequence<(name: String, data: String)>) -> [UInt8] {
        Array(events.map { "event: \($0.name)\ndata: \($0.data)\n\n" }.joined().utf8)
    }

    /// A streamed answer.
    static func stream(
        _ bytes: [UInt8] = wire(events), headers: [(String, String)] = [], after gate: Gate? = nil, ending: ScriptedAnswer.Ending = .whole
    ) -> ScriptedAnswer {
        ScriptedAnswer(headers: [("content-type", "text/event-stream")] + headers, body: bytes, after: gate, ending: ending, chunked: true)
    }

    /// A short streamed answer.
    static let shortStream: [UInt8] = {
        let delta = (
            name: "message_delta", data: #"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}"#
        )
        return wire(Array(events[..<2]) + Array(events[7..<9]) + [delta, events[20]])
    }()
}
