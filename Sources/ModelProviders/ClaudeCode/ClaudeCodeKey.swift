/// What jobs must have in common to be answered by the same process, one after another. (Credentials, too: they are one set a
/// provider.)
struct ClaudeCodeKey: Sendable, Hashable {
    /// The model's name or alias.
    var model: String
    /// The system text; empty replaces the program's own, which is long, by none.
    var system = ""
    /// The JSON Schema that the answer must follow, as text; nil where it is free.
    var schema: String?
    /// The most tokens of an answer; nil is the program's own limit.
    var maxTokens: Int?
    /// How hard to think: `low` to `max`; nil is the model's default.
    var effort: String?
    /// `adaptive` or `disabled`; nil is the model's default.
    var thinking: String?
    /// The most tokens to think; nil is the model's default.
    var maxThinkingTokens: Int?
}
