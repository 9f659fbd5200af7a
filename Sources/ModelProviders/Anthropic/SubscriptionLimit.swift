import NIOHTTP1

/// What an answer says about the limit of a subscription, which all its models share.
struct SubscriptionLimit: Sendable, Equatable {
    /// Whether it let the request through.
    let isRejected: Bool
    /// When it lets requests through again: wall clock, ms.
    let resetsAt: Int64?

    /// Reads `anthropic-ratelimit-unified-…`; nil where there is none.
    init?(_ headers: HTTPHeaders) {
        func value(_ name: String) -> String? { headers.first(name: "anthropic-ratelimit-unified-\(name)") }
        guard let status = value("status") else { return nil }
        isRejected = status == "rejected"
        let claimed = value("representative-claim").flatMap { Self.windows[$0] }
        let reset = value("reset") ?? claimed.flatMap { value("\($0)-reset") }
        // In seconds; none later than the year 9999.
        resetsAt = reset.flatMap { Int64($0) }.flatMap { (0..<253_402_300_800).contains($0) ? $0 * 1_000 : nil }
    }

    private static let windows = ["five_hour": "5h", "seven_day": "7d"]

    /// How long to wait, in ms, at most what is believed of any server; nil where it does not say, or has passed.
    func wait(now: Int64) -> Int64? {
        guard let resetsAt, resetsAt > now else { return nil }
        return min(resetsAt - now, RetryAfter.longest)
    }
}
