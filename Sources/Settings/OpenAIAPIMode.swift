/// `api:` — which of OpenAI's two APIs for text a provider is asked through.
public enum OpenAIAPIMode: String, CaseIterable, Sendable {
    /// Chat completions, and the Responses API for models that the server says need it.
    case automatic
    /// Chat completions.
    case chat
    /// The Responses API.
    case responses
}
