import AgentQueueModel
import NIOHTTP1

extension ObservedLimits {
    /// Reads `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, whose resets are durations; nil if none is there or can be read.
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

    /// Reads `anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}`, whose resets are times; nil if
    /// none is there or can be read.
    /// - Parameter now: wall clock, ms.
    static func anthropic(_ headers: HTTPHeaders, now: Int64) -> ObservedLimits? {
        let now = RetryAfter.serverTime(headers) ?? now
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

    /// A number of requests or tokens. Less than zero counts as zero.
    private static func count(_ text: String?) -> Int? {
        guard let number = text.flatMap({ RetryAfter.number($0) }) else { return nil }
        return Int(min(max(0, number), 0x1p40))
    }

    private var unlessEmpty: ObservedLimits? { self == ObservedLimits() ? nil : self }
}

extension ObservedLimits.Window {
    fileprivate var unlessEmpty: Self? { self == Self() ? nil : self }
}

/// When to try again according to a server, in each of the forms that are used.
package enum RetryAfter {
    /// The longest wait that is believed: 24 h, in ms.
    static let longest: Int64 = 86_400_000

    /// The wait that a failed answer asks for, in ms, 1 to ``longest``; nil if it asks for none: a wait of zero, a negative one and a date
    /// that has passed say nothing about when a call is taken, and whoever believed them would call in a loop.
    ///
    /// In this order: `retry-after-ms`, `retry-after`, and, with `limits`, the `x-ratelimit-reset-…` of an exhausted limit.
    /// - Parameters:
    ///   - headers: the answer's.
    ///   - limits: whether the answer is about a rate limit.
    ///   - now: wall clock, ms.
    static func wait(_ headers: HTTPHeaders, limits: Bool, now: Int64) -> Int64? {
        if let text = headers.first(name: "retry-after-ms"), let wait = number(text), wait > 0 { return bounded(wait) }
        if let text = headers.first(name: "retry-after"), let wait = wait(text, now: serverTime(headers) ?? now) { return wait }
        guard limits else { return nil }
        return reset(headers)
    }

    /// The time at the server, from `Date`: what it gives as a time counts from there, whatever this machine's clock shows. Nil if it does not
    /// say; wall clock, ms.
    static func serverTime(_ headers: HTTPHeaders) -> Int64? { headers.first(name: "date").flatMap(httpDate) }

    /// Reads `Retry-After`: seconds, with or without decimals, or an HTTP date. In ms, up to 24 h; nil if it is neither, or not later than
    /// now.
    /// - Parameter now: wall clock, ms.
    package static func wait(_ text: String, now: Int64) -> Int64? {
        guard let wait = number(text).map({ $0 * 1_000 }) ?? httpDate(text).map({ Double($0 - now) }), wait > 0 else { return nil }
        return bounded(wait)
    }

    /// Every answer has the resets of both limits. The one that counts is that of the exhausted limit. If neither is exhausted, the request
    /// was too large for the tokens left.
    private static func reset(_ headers: HTTPHeaders) -> Int64? {
        func wait(_ what: String) -> Int64? { headers.first(name: "x-ratelimit-reset-\(what)").flatMap(duration) }
        let usedUp = ["requests", "tokens"].filter { headers.first(name: "x-ratelimit-remaining-\($0)").flatMap(number) == 0 }
        return usedUp.compactMap(wait).max() ?? wait("tokens") ?? wait("requests")
    }

    /// Reads a duration such as `1s`, `6m0s`, `120ms`, `1h2m3.5s`, or plain seconds; in ms.
    static func duration(_ text: String) -> Int64? {
        if let seconds = number(text) { return bounded(seconds * 1_000) }
        var rest = text[...]
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { $0.isLetter || $0 == "µ" }
            rest = rest[unit.endIndex...]
            guard let amount = number(digits), let scale = scales[String(unit)] else { return nil }
            total += amount * scale
        }
        return text.isEmpty ? nil : bounded(total)
    }

    private static let scales = ["ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]

    /// Reads an HTTP date in the only form still in use, `Sun, 06 Nov 1994 08:49:37 GMT`; wall clock, ms.
    static func httpDate(_ text: String) -> Int64? {
        let parts = text.split(whereSeparator: { " ,:-".contains($0) }).map(String.init)
        guard parts.count == 8, parts[7] == "GMT", let month = months.firstIndex(of: parts[2]).map({ Int64($0 + 1) }) else { return nil }
        let numbers = [1, 3, 4, 5, 6].compactMap { parts[$0].utf8.count <= 4 ? Int64(parts[$0]) : nil }
        // A date before 1970 is a mistake, and says nothing.
        guard numbers.count == 5, numbers[1] >= 1_970 else { return nil }
        return TimeText.milliseconds(
            year: numbers[1], month: month, day: numbers[0], hour: numbers[2], minute: numbers[3], second: numbers[4])
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// A plain number; spaces around it are ignored.
    static func number(_ text: some StringProtocol) -> Double? {
        let trimmed = String(text.drop { $0 == " " }.prefix { $0 != " " })
        guard trimmed.utf8.count <= 32, trimmed.utf8.allSatisfy({ "0123456789.-".utf8.contains($0) }) else { return nil }
        return Double(trimmed)
    }

    private static func bounded(_ milliseconds: Double) -> Int64 {
        guard milliseconds < Double(longest) else { return longest }
        return Int64(max(0, milliseconds).rounded(.up))
    }
}

/// Points in time as servers write them.
enum Timestamp {
    /// Reads RFC 3339, such as `2026-11-22T08:00:00Z` or `2026-11-22T09:00:00.25+01:00`; wall clock, ms. Nil if it is no such time, or before
    /// 1970: then the server has said nothing.
    static func rfc3339(_ text: String) -> Int64? {
        // Servers write the seconds.
        guard (20...64).contains(text.utf8.count), let time = try? TimeText.parseRFC3339(text), time >= 0 else { return nil }
        return time
    }
}
