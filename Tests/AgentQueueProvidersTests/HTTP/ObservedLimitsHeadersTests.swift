import AgentQueueModel
import NIOHTTP1
import Testing

@testable import AgentQueueProviders

@Suite struct ObservedLimitsHeadersTests {
    typealias Window = ObservedLimits.Window

    @Test func openAIsAreRead() {
        let headers: HTTPHeaders = [
            "X-RateLimit-Limit-Requests": "500", "x-ratelimit-remaining-requests": "499", "x-ratelimit-reset-requests": "120ms",
            "x-ratelimit-limit-tokens": "30000", "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s",
        ]
        #expect(
            ObservedLimits.openAI(headers)
                == ObservedLimits(
                    requests: Window(limit: 500, remaining: 499, resetAfter: 120),
                    tokens: Window(limit: 30_000, remaining: 0, resetAfter: 360_000)))
    }

    @Test(
        arguments: [
            ([("remaining", "-5")], Window(remaining: 0)), ([("limit", "99999999999999999999")], Window(limit: 1 << 40)),
            ([("limit", " 7.0 ")], Window(limit: 7)), ([("reset", "99999h")], Window(resetAfter: 86_400_000)),
            ([("reset", "17")], Window(resetAfter: 17_000)), ([("reset", "soon"), ("limit", "1")], Window(limit: 1)),
            ([("limit", "many"), ("remaining", "")], nil), ([], nil),
        ] as [([(String, String)], Window?)])
    func oddValuesAreBoundedOrPassedOver(values: [(String, String)], tokens: Window?) {
        let headers = HTTPHeaders(values.map { ("x-ratelimit-\($0.0)-tokens", $0.1) })
        #expect(ObservedLimits.openAI(headers) == tokens.map { ObservedLimits(tokens: $0) })
    }

    @Test func anthropicsAreRead() {
        let now: Int64 = 1_795_334_400_000  // 2026-11-22T08:00:00Z
        let headers: HTTPHeaders = [
            "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-requests-reset": "2026-11-22T08:00:01Z", "anthropic-ratelimit-tokens-remaining": "1000",
            "anthropic-ratelimit-input-tokens-reset": "2026-11-22T07:59:00Z", "anthropic-ratelimit-output-tokens-limit": "8000",
            "anthropic-ratelimit-output-tokens-reset": "2026-12-31T00:00:00Z",
        ]
        #expect(
            ObservedLimits.anthropic(headers, now: now)
                == ObservedLimits(
                    requests: Window(limit: 50, remaining: 49, resetAfter: 1_000), tokens: Window(remaining: 1_000),
                    inputTokens: Window(resetAfter: 0), outputTokens: Window(limit: 8_000, resetAfter: 86_400_000)))
        #expect(ObservedLimits.anthropic(["anthropic-ratelimit-tokens-reset": "tomorrow"], now: now) == nil)
        #expect(ObservedLimits.anthropic(["x-ratelimit-limit-tokens": "1"], now: now) == nil)
    }

    @Test(
        arguments: [
            ("2026-11-22T08:00:00Z", 1_795_334_400_000), ("2026-11-22t08:00:00z", 1_795_334_400_000),
            ("2026-11-22T09:00:00+01:00", 1_795_334_400_000), ("2026-11-22T07:30:00.25-00:30", 1_795_334_400_250),
            ("2026-11-22T08:00:00.123456789Z", 1_795_334_400_123), ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("", nil), ("2026-11-22", nil), ("2026-11-22T08:00:00", nil), ("2026-13-22T08:00:00Z", nil), ("2026-11-22T25:00:00Z", nil),
            ("2026-11-22T08:00:00+0100", nil), ("1969-12-31T23:59:59Z", nil), ("2026-11-22T08:00:00.Z5", nil), ("日本-11-22T08:00:00Z", nil),
        ] as [(String, Int64?)])
    func timestampsAreRead(text: String, milliseconds: Int64?) {
        #expect(Timestamp.rfc3339(text) == milliseconds)
    }
}

@Suite struct RetryAfterTests {
    @Test func `a time counts from the server's clock where it says what that is`() {
        var headers: HTTPHeaders = ["retry-after": "Sun, 06 Nov 1994 08:49:39 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT"]
        let behind: Int64 = 784_111_777_000 - 7_200_000
        #expect(RetryAfter.wait(headers, limits: true, now: behind) == 2_000)
        headers = ["anthropic-ratelimit-requests-reset": "1994-11-06T08:49:47Z", "date": "Sun, 06 Nov 1994 08:49:37 GMT"]
        #expect(ObservedLimits.anthropic(headers, now: behind)?.requests?.resetAfter == 10_000)
        #expect(RetryAfter.wait(["retry-after": "Sun, 06 Nov 1994 08:49:39 GMT", "date": "now"], limits: true, now: behind) == 7_202_000)
    }

    @Test(
        arguments: [
            ("0", nil), ("1", 1_000), ("0.25", 250), (" 3 ", 3_000), ("-5", nil), ("1000000", 86_400_000),
            ("99999999999999999999999999999999999", nil), ("Sun, 06 Nov 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:50:37 GMT", 60_000),
            ("Sat, 06 Nov 2094 08:50:37 GMT", 86_400_000), ("", nil), ("soon", nil), ("1e5", nil), ("nan", nil), ("inf", nil),
            ("0x10", nil),
            ("Sun, 66 Nov 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49:37", nil),
        ] as [(String, Int64?)])
    func secondsAndDatesAreRead(text: String, wait: Int64?) {
        #expect(RetryAfter.wait(text, now: 784_111_777_000) == wait, "\(text)")
    }

    @Test(
        arguments: [
            ("1s", 1_000), ("6m0s", 360_000), ("120ms", 120), ("1h2m3.5s", 3_723_500), ("17", 17_000), ("7.66s", 7_660), ("2d", 86_400_000),
            ("", nil), ("s", nil), ("1", 1_000), ("1x", nil), ("1s2", nil), ("..s", nil),
        ] as [(String, Int64?)])
    func durationsAreRead(text: String, wait: Int64?) {
        #expect(RetryAfter.duration(text) == wait, "\(text)")
    }

    @Test(
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600_000),
            ("Fri, 31 Dec 2027 23:59:59 GMT", 1_830_297_599_000), ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400_000),
        ] as [(String, Int64)])
    func datesAreRead(text: String, milliseconds: Int64) {
        #expect(RetryAfter.httpDate(text) == milliseconds)
    }
}
