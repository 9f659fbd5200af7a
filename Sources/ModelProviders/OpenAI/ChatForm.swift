import JobModel

/// How a server wants a chat request written.
struct ChatForm: Sendable, Hashable {
    /// Whether the answer's limit is `max_completion_tokens`, as at OpenAI's newer models, and not `max_tokens`.
    var hasCompletionLimit = false
    /// Whether a stream may be asked for its usage.
    var hasStreamOptions = true
    /// Whether it goes to `/responses`, and not to `/chat/completions`.
    var usesResponses = false

    /// The form to try next after an answer that refuses this one; nil where it says nothing about the form.
    /// - Parameters:
    ///   - refusal: the answer.
    ///   - body: what was sent.
    ///   - api: what may be called.
    func changed(after refusal: CallFailure, to body: JSONValue, api: OpenAIAPI) -> ChatForm? {
        guard let status = refusal.status, [400, 404, 422].contains(status), let error = refusal.error else { return nil }
        let words = (error.message ?? "").lowercased()
        var changed = self
        if status != 404, !hasCompletionLimit, !usesResponses, body["max_tokens"] != nil,
            words.contains("max_completion_tokens") || (error.param == "max_tokens" && error.code == "unsupported_parameter")
        {
            changed.hasCompletionLimit = true
        } else if status != 404, hasStreamOptions, !usesResponses, body["stream_options"] != nil,
            words.contains("stream_options") || words.contains("include_usage") || error.param?.hasPrefix("stream_options") == true
        {
            changed.hasStreamOptions = false
        } else if status != 422, !usesResponses, api == .automatic, words.contains("v1/responses") || words.contains("responses api") {
            changed.usesResponses = true
        } else {
            return nil
        }
        return changed
    }
}
