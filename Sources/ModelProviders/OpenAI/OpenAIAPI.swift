/// Which of OpenAI's two APIs answers a `generate` request.
public enum OpenAIAPI: String, Sendable, CaseIterable {
    /// Chat completions, and for a model that the server says needs it, responses: found out by one refused call per model.
    case automatic
    /// `/chat/completions`, which every compatible server has.
    case chat
    /// `/responses`.
    case responses
}
