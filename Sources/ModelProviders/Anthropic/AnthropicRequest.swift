import JobModel
import ModelCalls

/// A request in Anthropic's form.
struct AnthropicRequest: Sendable, Equatable {
    /// The body of `POST /v1/messages`, but for `stream`.
    let body: JSONValue
    /// The most tokens the answer may have.
    let maxTokens: Int

    /// Translates a request from the canonical form. Members that both forms have, or that only Anthropic's has, pass unchanged; so
    /// do unknown ones, about which the server has the last word.
    /// - Parameters:
    ///   - maxOutputTokens: the most tokens the answer may have, where the request does not say.
    ///   - promptCache: what to mark, where the request marks nothing.
    /// - Throws: `ModelFailure` (`permanent`), where something has no counterpart at Anthropic: nothing is left out in silence.
    init(_ request: ModelRequest, maxOutputTokens: Int, promptCache: PromptCache) throws(ModelFailure) {
        guard request.kind == .generate else {
            throw ModelFailure.unsent("Anthropic has no embeddings; name an embedding model of another provider")
        }
        guard let members = request.body.members else {
            throw ModelFailure.unsent("the request is \(request.body.kindName), not an object")
        }
        var translation = AnthropicTranslation()
        for member in members where !member.value.isNull { try translation.take(member) }
        if let mark = promptCache.mark { translation.markPrefix(mark) }
        maxTokens = try translation.maxTokens(or: maxOutputTokens)
        body = try translation.body(model: request.target.model, maxTokens: maxTokens)
    }

    private static let samplingMembers = ["temperature", "top_p", "top_k"]

    /// Whether it holds what the API takes in its older version only.
    var hasSampling: Bool { Self.samplingMembers.contains { body[$0] != nil } }

    /// The members that count_tokens takes; the rest changes nothing about the count.
    private static let countedMembers: Set<String> = [
        "model", "system", "messages", "tools", "tool_choice", "thinking", "output_config", "cache_control", "mcp_servers",
    ]

    /// The body of `POST /v1/messages/count_tokens`.
    var countBody: JSONValue { .object((body.members ?? []).filter { Self.countedMembers.contains($0.key) }) }
}
