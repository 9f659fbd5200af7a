/// Which of OpenAI's two APIs answers `generate` requests: `api` of a provider in the configuration.
package enum OpenAIAPI: String, Sendable, CaseIterable {
    /// Chat completions, and responses for models that the server says need them, which costs one refused call per model.
    case automatic
    /// `/chat/completions`, which every compatible server has.
    case chat
    /// `/responses`.
    case responses
}

/// Whether requests that do not mention Anthropic's prompt cache use it, and how long it keeps what they share: `prompt_cache` of a provider
/// in the configuration.
package enum PromptCache: String, Sendable, CaseIterable {
    /// Not used, except by requests that mark something themselves.
    case off
    /// Kept for five minutes after the last use. Writing costs 1.25 times the input price, reading a tenth.
    case fiveMinutes = "5m"
    /// Kept for an hour after the last use. Writing costs twice the input price, reading a tenth.
    case oneHour = "1h"
}
