/// An environment variable that sets a key.
struct EnvironmentVariable: Sendable {
    let name: String
    let key: String
    /// The variable's text as the key's text; nil if it changes nothing.
    let translate: @Sendable (String) throws(InvalidText) -> String?

    /// Weakest first: of two for the same key, the later wins.
    static let all = [
        EnvironmentVariable(name: "AGENT_QUEUE_DATABASE", key: "database", translate: { $0 }),
        EnvironmentVariable(name: "ENABLE_ASYNC", key: "enable_async", translate: { (text) throws(InvalidText) in String(try flag(text)) }),
        EnvironmentVariable(
            name: "USE_CLAUDE_CODE", key: "default_model",
            translate: { (text) throws(InvalidText) in try flag(text) ? "claude-code/sonnet" : nil }),
        EnvironmentVariable(name: "CACHE_MAX_SIZE", key: "cache.max_entries", translate: { $0 }),
        EnvironmentVariable(name: "AIOHTTP_TIMEOUT", key: "http.request_timeout", translate: { $0 }),
        EnvironmentVariable(name: "HTTP_TIMEOUT", key: "http.request_timeout", translate: { $0 }),
    ]

    /// As `SettingKind.flag`, and 1 and 0 as environments have them.
    private static func flag(_ text: String) throws(InvalidText) -> Bool {
        switch text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw InvalidText("\(InvalidText.quoted(text)) is neither true nor false")
        }
    }
}
