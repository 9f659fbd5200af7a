import JobModel

/// Whether requests that say nothing about Anthropic's prompt cache use it, and how long it keeps what they share.
public enum PromptCache: String, Sendable, CaseIterable {
    /// They do not. Those that mark something themselves do.
    case off
    /// Five minutes from the last use; writing costs a quarter more than plain input.
    case fiveMinutes = "5m"
    /// An hour from the last use; writing costs twice as much as plain input.
    case oneHour = "1h"

    /// How long it keeps what a mark (`cache_control`) stands behind, in ms.
    static func timeToLive(of mark: JSONValue) -> Int64 {
        mark["ttl"]?.string == PromptCache.oneHour.rawValue ? 3_600_000 : 300_000
    }

    /// The mark it sets; nil where it sets none.
    var mark: JSONValue? {
        switch self {
        case .off: nil
        // Five minutes are the server's default: older servers know no other.
        case .fiveMinutes: ["type": "ephemeral"]
        case .oneHour: ["type": "ephemeral", "ttl": "1h"]
        }
    }
}
