/// `prompt_cache:` — how long an Anthropic provider is asked to keep the system text and tools of a request that says nothing itself.
public enum PromptCacheMode: String, CaseIterable, Sendable {
    /// Not at all.
    case off
    /// Five minutes; writing costs 1.25 times the input price, reading a tenth.
    case fiveMinutes = "5m"
    /// An hour; writing costs twice the input price, reading a tenth.
    case oneHour = "1h"
}
