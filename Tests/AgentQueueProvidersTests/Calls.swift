import AgentQueueModel
import AgentQueueProviders
import AgentQueueTestSupport

/// Lends a transport and shuts it down.
func withTransport<Value>(
    _ configuration: HTTPTransport.Configuration = .init(), _ body: (HTTPTransport) async throws -> Value
) async throws -> Value {
    let transport = HTTPTransport(configuration)
    do {
        let value = try await body(transport)
        try await transport.shutdown()
        return value
    } catch {
        try await transport.shutdown()
        throw error
    }
}

/// Lends a provider in front of a scripted server.
func withProvider<Value>(
    key: String? = nil, maxEmbedInputs: Int = 2_048, transport: HTTPTransport.Configuration = .init(),
    answers: Script,
    _ body: (OpenAIProvider, ScriptedServer) async throws -> Value
) async throws -> Value {
    try await ScriptedServer.withServer(answers) { server in
        try await withTransport(transport) { transport in
            let provider = OpenAIProvider(
                name: "scripted", baseURL: "\(server.url)/v1", apiKey: key, maxEmbedInputs: maxEmbedInputs, transport: transport)
            return try await body(provider, server)
        }
    }
}

/// Lends a provider in front of a server that always gives the same answer.
func withProvider<Value>(
    key: String? = nil, answer: ScriptedAnswer, _ body: (OpenAIProvider, ScriptedServer) async throws -> Value
) async throws -> Value {
    try await withProvider(key: key, answers: .always(answer), body)
}

let chat = ModelRequest(
    kind: .generate, target: Target(provider: "scripted", model: "m"),
    body: ["messages": [["role": "user", "content": "How are you today?"]]])

func embedding(_ texts: String..., options: JSONValue = [:], kind: JobKind = .embed, model: String = "m") -> ModelRequest {
    let input = JSONValue.Member("input", .array(texts.map { .string($0) }))
    return ModelRequest(kind: kind, target: Target(provider: "scripted", model: model), body: .object([input] + (options.members ?? [])))
}

extension OpenAIProvider {
    /// One request's outcome.
    func respond(
        to request: ModelRequest, timeout: Int64 = 10_000, onText: (@Sendable (String) -> Void)? = nil
    ) async -> Outcome {
        let outcomes = await respond(to: [request], CallOptions(timeout: timeout, idempotencyKey: "key-1", onText: onText))
        return outcomes.count == 1 ? outcomes[0] : .failure(ModelFailure(.permanent, "\(outcomes.count) outcomes"))
    }
}

/// A good chat completion.
let hello =
    #"{"id":"c-1","model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"#
    + #""usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#

/// Embeds each input as `[its length in bytes, its place]`, and counts a token per byte.
let embedsLengths = Script { request in
    guard let body = try? JSONValue.parse(request.body), let inputs = body["input"]?.array else { return ScriptedAnswer(400, json: "{}") }
    let lengths = inputs.map { $0.string?.utf8.count ?? 0 }
    let data = lengths.enumerated().map { #"{"index":\#($0.offset),"embedding":[\#($0.element),\#($0.offset)]}"# }
    let tokens = lengths.reduce(0, +)
    return ScriptedAnswer(
        json: #"{"model":"e","data":[\#(data.joined(separator: ","))],"usage":{"prompt_tokens":\#(tokens),"total_tokens":\#(tokens)}}"#)
}

extension Outcome {
    /// The reply, if it is one.
    var reply: ModelReply? { if case .reply(let reply) = self { reply } else { nil } }
    /// The failure, if it is one.
    var failure: ModelFailure? { if case .failure(let failure) = self { failure } else { nil } }
}
