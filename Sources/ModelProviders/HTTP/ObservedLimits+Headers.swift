import JobModel
import NIOHTTP1

extension ObservedLimits {
    /// Reads `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, the resets being durations; nil where none of them is
    /// there, or can be read.
    static func openAI(_ headers: HTTPHeaders) -> ObservedLimits? {
        func window(_ what: String) -> Window? {
            Window(
                limit: count(headers.first(name: "x-ratelimit-limit-\(what)")),
                remaining: count(headers.first(name: "x-ratelimit-remaining-\(what)")),
                resetAfter: headers.first(name: "x-ratelimit-reset-\(what)").flatMap(RetryAfter.duration)
            ).unlessEmpty
        }
        return ObservedLimits(requests: window("requests"), tokens: window("tokens")).unlessEmpty
    }

    /// Reads `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, the resets being
    /// points in time; nil where none of them is there, or can be read.
    /// - Parameter now: wall clock, ms.
    static func anthropic(_ headers: HTTPHeaders, now: Int64) -> ObservedLimits? {
        func window(_ what: String) -> Window? {
            let reset = headers.first(name: "anthropic-ratelimit-\(what)-reset").flatMap(Timestamp.rfc3339)
            return Window(
                limit: count(headers.first(name: "anthropic-ratelimit-\(what)-limit")),
                remaining: count(headers.first(name: "anthropic-ratelimit-\(what)-remaining")),
                resetAfter: reset.map { min(max(0, $0 - now), RetryAfter.longest) }
            ).unlessEmpty
        }
        return ObservedLimits(
            requests: window("requests"), tokens: window("tokens"), inputTokens: window("input-tokens"),
            outputTokens: window("output-tokens")
        ).unlessEmpty
    }

    /// A number of requests or tokens; what is less than nothing is nothing.
    private static func count(_ text: String?) -> Int? {
        guard let number = text.flatMap({ RetryAfter.number($0) }) else { return nil }
        return Int(min(max(0, number), 0x1p40))
    }

    private var unlessEmpty: ObservedLimits? { self == ObservedLimits() ? nil : self }
}

extension ObservedLimits.Window {
    fileprivate var unlessEmpty: Self? { self == Self() ? nil : self }
}
