import AgentQueueModel

/// What is left of the limits of a client, in the headers of either API.
package struct RateLimitHeaders: Sendable, Equatable {
    package struct Level: Sendable, Equatable {
        package var limit: Int
        package var remaining: Int
        /// When all of it will be there again, in ms since 1970.
        package var fullAt: Int64

        package init(limit: Int, remaining: Int, fullAt: Int64) {
            self.limit = limit
            self.remaining = remaining
            self.fullAt = fullAt
        }
    }

    /// Calls in a minute; nil without such a limit.
    package var requests: Level?
    /// Tokens in a minute; nil without such a limit.
    package var tokens: Level?

    package init(requests: Level? = nil, tokens: Level? = nil) {
        self.requests = requests
        self.tokens = tokens
    }

    package func pairs(_ flavour: APIFlavour, now: Int64) -> [(name: String, value: String)] {
        [("requests", requests), ("tokens", tokens)].flatMap { unit, level -> [(name: String, value: String)] in
            guard let level else { return [] }
            switch flavour {
            case .openAI:
                return [
                    ("x-ratelimit-limit-\(unit)", "\(level.limit)"), ("x-ratelimit-remaining-\(unit)", "\(level.remaining)"),
                    ("x-ratelimit-reset-\(unit)", Self.duration(max(0, level.fullAt - now))),
                ]
            case .anthropic:
                return [
                    ("anthropic-ratelimit-\(unit)-limit", "\(level.limit)"),
                    ("anthropic-ratelimit-\(unit)-remaining", "\(level.remaining)"),
                    ("anthropic-ratelimit-\(unit)-reset", TimeText.format(max(level.fullAt, now))),
                ]
            }
        }
    }

    /// As OpenAI writes it: `120ms`, `1s`, `6m0s`.
    static func duration(_ milliseconds: Int64) -> String {
        guard milliseconds >= 1_000 else { return "\(milliseconds)ms" }
        let seconds = (milliseconds + 999) / 1_000
        return seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s"
    }
}
