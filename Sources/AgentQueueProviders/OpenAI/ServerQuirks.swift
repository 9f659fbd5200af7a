import AgentQueueDialects
import AgentQueueModel
import Synchronization

/// What a server was found to want, so that it has to refuse a request only once. Kept for the life of the process.
final class ServerQuirks: Sendable {
    private struct State {
        var chatForms: [String: ChatForm] = [:]
        var floatModels: Set<String> = []
        var refusedSchemas: [String: RefusedSchemas] = [:]
    }

    private let state = Mutex(State())
    /// How many models are remembered. Beyond that all are asked again.
    private static let maxModels = 10_000

    /// How chats must be written for a model, if that is known.
    func chatForm(of model: String) -> ChatForm? {
        state.withLock { $0.chatForms[model] }
    }

    /// Remembers how chats must be written for a model.
    func remember(_ form: ChatForm, for model: String) {
        state.withLock { state in
            if state.chatForms.count >= Self.maxModels { state.chatForms.removeAll() }
            state.chatForms[model] = form
        }
    }

    /// The schemas that are not sent to a model in strict mode.
    func refusedSchemas(of model: String) -> RefusedSchemas {
        state.withLock { $0.refusedSchemas[model] ?? RefusedSchemas() }
    }

    /// Remembers that a schema was refused in strict mode.
    func rememberRefusal(of schema: JSONValue, for model: String) {
        state.withLock { state in
            if state.refusedSchemas.count >= Self.maxModels { state.refusedSchemas.removeAll() }
            state.refusedSchemas[model, default: RefusedSchemas()].add(schema)
        }
    }

    /// The format to ask for a model's vectors in.
    func embeddingFormat(of model: String) -> EmbeddingFormat {
        state.withLock { $0.floatModels.contains(model) ? .float : .base64 }
    }

    /// Remembers that a model returns vectors only as lists of numbers.
    func rememberFloat(for model: String) {
        state.withLock { state in
            if state.floatModels.count >= Self.maxModels { state.floatModels.removeAll() }
            state.floatModels.insert(model)
        }
    }
}

extension CallFailure {
    /// Whether an answer refuses the schema of the request, or strict mode itself.
    var refusesSchema: Bool {
        guard let status, [400, 422].contains(status), let error else { return false }
        if let param = error.param, ["response_format", "text.format", "json_schema"].contains(where: param.hasPrefix) { return true }
        let words = (error.message ?? "").lowercased()
        return ["response_format", "text.format", "json_schema", "schema", "strict"].contains { words.contains($0) }
    }
}

extension ChatForm {
    /// The form to try after an answer that refuses this one; nil if it says nothing about the form.
    /// - Parameters:
    ///   - refusal: the answer.
    ///   - body: what was sent.
    ///   - api: which APIs may be called.
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
