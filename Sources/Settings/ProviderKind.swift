/// `kind:` — which wire format a provider speaks.
public enum ProviderKind: String, CaseIterable, Sendable {
    /// OpenAI's API, or any server compatible with it (llama.cpp, Ollama, vLLM, LM Studio).
    case openai
    /// Anthropic's API.
    case anthropic
    /// The `claude` program as a child process.
    case claudeCode = "claude-code"
}
