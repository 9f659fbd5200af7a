import NIOHTTP1

/// A server's word on when to try again, in the forms it comes in.
public enum RetryAfter {
    /// The longest wait believed: 24 h, in ms.
    static let longest: Int64 = 86_400_000

    /// The wait that a failed answer asks for, in ms, 0 to ``longest``; nil where it asks for none.
    ///
    /// In this order: `retry-after-ms`, `retry-after`, and, with `limits`, the `x-ratelimit-reset-…` of what is used up.
    /// - Parameters:
    ///   - headers: the answer's.
    ///   - limits: whether the answer is about a rate limit.
    ///   - now: wall clock, ms.
    static func wait(_ headers: HTTPHeaders, limits: Bool, now: Int64) -> Int64? {
        if let text = headers.first(name: "retry-after-ms"), let wait = number(text) { return bounded(wait) }
        if let text = headers.first(name: "retry-after"), let wait = wait(text, now: now) { return wait }
        guard limits else { return nil }
        return reset(headers)
    }

    /// Reads `Retry-After`: seconds, with or without decimals, or an HTTP date. In ms, 0 to 24 h; nil where it is neither.
    /// - Parameter now: wall clock, ms.
    public static func wait(_ text: String, now: Int64) -> Int64? {
        if let seconds = number(text) { return bounded(seconds * 1_000) }
        return httpDate(text).map { bounded(Double($0 - now)) }
    }

    /// Both limits tell their reset on every answer: only that of the one with nothing left is meant. Where neither says
    /// so, a request was too large for the tokens left.
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

    /// Reads an HTTP date of the one form still sent, `Sun, 06 Nov 1994 08:49:37 GMT`; wall clock, ms.
    static func httpDate(_ text: String) -> Int64? {
        let parts = text.split(whereSeparator: { " ,:-".contains($0) }).map(String.init)
        guard parts.count == 8, parts[7] == "GMT", let month = months.firstIndex(of: parts[2]).map({ Int64($0 + 1) }) else { return nil }
        let numbers = [1, 3, 4, 5, 6].compactMap { parts[$0].utf8.count <= 4 ? Int64(parts[$0]) : nil }
        guard numbers.count == 5 else { return nil }
        return Timestamp.milliseconds(
            year: numbers[1], month: month, day: numbers[0], hour: numbers[2], minute: numbers[3], second: numbers[4])
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// A plain number, blanks around it passed over.
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
