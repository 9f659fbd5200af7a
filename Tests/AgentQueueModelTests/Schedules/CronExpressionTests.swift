import AgentQueueModel
import Foundation
import Testing

@Suite struct CronExpressionTests {
    @Test(
        arguments: [
            ("", "a cron expression is empty (such as '0 7 * * mon-fri')"),
            ("* * * *", "a cron expression has five fields (minute, hour, day of month, month, day of week), not 4"),
            ("* * * * * *", "a cron expression has five fields (minute, hour, day of month, month, day of week), not 6"),
            ("60 * * * *", "minute: '60' is out of range (0 to 59)"),
            ("0 24 * * *", "hour: '24' is out of range (0 to 23)"),
            ("0 0 0 * *", "day of month: '0' is out of range (1 to 31)"),
            ("0 0 * 13 *", "month: '13' is out of range (1 to 12)"),
            ("0 0 * * 8", "day of week: '8' is out of range (0 to 7)"),
            ("0 0 * foo *", "month: 'foo' is not a number nor a name such as jan"),
            ("x 0 * * *", "minute: 'x' is not a number"),
            ("-1 0 * * *", "minute: a number is missing"),
            ("+1 0 * * *", "minute: '+1' is not a number"),
            ("99999999999999999999 0 * * *", "minute: '99999999999999999999' is out of range (0 to 59)"),
            ("5-1 0 * * *", "minute: the range '5-1' runs backwards"),
            ("1-2-3 0 * * *", "minute: '1-2-3' is not a range"),
            ("*/0 0 * * *", "minute: '0' is not a step (1 to 59)"),
            ("*/60 0 * * *", "minute: '60' is not a step (1 to 59)"),
            ("5/2 0 * * *", "minute: a step needs a range or * before it, not '5'"),
            ("*/2/3 0 * * *", "minute: '*/2/3' has more than one step"),
            ("1,,2 0 * * *", "minute: a comma has nothing beside it"),
            ("1, 0 * * *", "minute: a comma has nothing beside it"),
            ("@often", "'@often' is not one of @annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly"),
            ("@daily x", "'@daily x' is not one of @annually, @daily, @hourly, @midnight, @monthly, @weekly, @yearly"),
            ("1\u{1B}[2J 0 * * *", "minute: '1\\u{1b}[2J' is not a number"),
        ])
    func `what is wrong is said, with its field`(text: String, message: String) {
        #expect { _ = try CronExpression(text) } throws: { "\($0)" == message }
    }

    @Test func `a long text is refused whole`() {
        #expect(throws: CronError.self) { try CronExpression(String(repeating: "1,", count: 200) + "1 * * * *") }
    }

    @Test(
        arguments: [
            ("0 7 * * mon-fri", "2026-11-20T07:00:00Z", ["2026-11-23T07:00:00Z", "2026-11-24T07:00:00Z"]),
            ("0 7 * * 1-5", "2026-11-20T06:59:59Z", ["2026-11-20T07:00:00Z", "2026-11-23T07:00:00Z"]),
            ("*/20 9 * * *", "2026-11-20T09:10:00Z", ["2026-11-20T09:20:00Z", "2026-11-20T09:40:00Z", "2026-11-21T09:00:00Z"]),
            ("10-30/10,5 0 * * *", "2026-11-20T00:00:00Z", ["2026-11-20T00:05:00Z", "2026-11-20T00:10:00Z", "2026-11-20T00:20:00Z"]),
            ("0 0 * * 0", "2026-11-20T00:00:00Z", ["2026-11-22T00:00:00Z"]),
            ("0 0 * * 7", "2026-11-20T00:00:00Z", ["2026-11-22T00:00:00Z"]),
            ("0 0 * * fri-SUN", "2026-11-21T12:00:00Z", ["2026-11-22T00:00:00Z", "2026-11-27T00:00:00Z"]),
            ("0 0 * * 5-7", "2026-11-21T12:00:00Z", ["2026-11-22T00:00:00Z", "2026-11-27T00:00:00Z"]),
            ("@hourly", "2026-11-20T09:10:00Z", ["2026-11-20T10:00:00Z"]), ("@daily", "2026-11-20T00:00:00Z", ["2026-11-21T00:00:00Z"]),
            ("@midnight", "2026-11-20T00:00:00Z", ["2026-11-21T00:00:00Z"]), ("@weekly", "2026-11-20T00:00:00Z", ["2026-11-22T00:00:00Z"]),
            ("@monthly", "2026-11-20T00:00:00Z", ["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
            ("@yearly", "2026-11-20T00:00:00Z", ["2027-01-01T00:00:00Z"]), ("@annually", "2027-01-01T00:00:00Z", ["2028-01-01T00:00:00Z"]),
            // Either kind of day, where both are restricted; both, where one begins with a star.
            ("0 0 13 * fri", "2026-11-07T00:00:00Z", ["2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"]),
            ("0 0 15 * fri", "2026-11-13T00:00:00Z", ["2026-11-15T00:00:00Z", "2026-11-20T00:00:00Z"]),
            ("0 0 */2 * fri", "2026-11-07T00:00:00Z", ["2026-11-13T00:00:00Z", "2026-11-27T00:00:00Z"]),
            ("0 0 29 2 *", "2026-11-20T00:00:00Z", ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]),
            ("59 23 31 dec *", "2026-12-31T23:59:00Z", ["2027-12-31T23:59:00Z"]),
        ])
    func `times are those of cron`(text: String, after: String, expected: [String]) throws {
        let cron = try CronExpression(text)
        var time = try FoundationZone.time(after)
        let zone = try FoundationZone("UTC")
        for next in expected {
            time = try #require(cron.next(after: time, in: zone))
            #expect(FoundationZone.text(time) == next)
        }
    }

    @Test(arguments: ["0 0 30 2 *", "0 0 31 4,6,9,11 *"])
    func `what never comes is told`(text: String) throws {
        #expect(try CronExpression(text).next(after: try FoundationZone.time("2026-11-20T00:00:00Z"), in: try FoundationZone("UTC")) == nil)
    }

    @Test(
        arguments: [
            // Lisbon: 01:00 becomes 02:00 on 2026-03-29, and 02:00 becomes 01:00 on 2026-10-25.
            ("Europe/Lisbon", "30 1 * * *", "2026-03-28T12:00:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]),
            ("Europe/Lisbon", "*/30 1 * * *", "2026-03-28T12:00:00Z", ["2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"]),
            ("Europe/Lisbon", "30 1 * * *", "2026-10-24T12:00:00Z", ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
            (
                "Europe/Lisbon", "*/30 1 * * *", "2026-10-24T12:00:00Z",
                [
                    "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
                    "2026-10-26T01:00:00Z",
                ]
            ),
            // New York: 02:00 becomes 03:00 on 2026-03-08, and 02:00 becomes 01:00 on 2026-11-01.
            ("America/New_York", "0,30 2 * * *", "2026-03-07T12:00:00Z", ["2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z"]),
            ("America/New_York", "0 2,3 * * *", "2026-03-07T12:00:00Z", ["2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z"]),
            ("America/New_York", "15 1 * * *", "2026-10-31T12:00:00Z", ["2026-11-01T05:15:00Z", "2026-11-02T06:15:00Z"]),
            ("America/New_York", "0 * * * *", "2026-11-01T04:30:00Z", ["2026-11-01T05:00:00Z", "2026-11-01T06:00:00Z"]),
            // Lord Howe: half an hour, 02:00 becomes 02:30 on 2026-10-04, and 02:00 becomes 01:30 on 2026-04-05.
            ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T00:00:00Z", ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]),
            ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T00:00:00Z", ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]),
            ("Asia/Kolkata", "30 9 * * *", "2026-11-20T00:00:00Z", ["2026-11-20T04:00:00Z", "2026-11-21T04:00:00Z"]),
            // Samoa had no 30 December 2011, which no clock skipped for daylight saving: it is not made up for.
            ("Pacific/Apia", "0 7 * * *", "2011-12-29T12:00:00Z", ["2011-12-29T17:00:00Z", "2011-12-30T17:00:00Z"]),
            ("Pacific/Apia", "@hourly", "2011-12-30T09:00:00Z", ["2011-12-30T10:00:00Z", "2011-12-30T11:00:00Z"]),
        ])
    func `clocks that jump are followed as cron does`(zone: String, text: String, after: String, expected: [String]) throws {
        let cron = try CronExpression(text)
        let zone = try FoundationZone(zone)
        var time = try FoundationZone.time(after)
        for next in expected {
            time = try #require(cron.next(after: time, in: zone))
            #expect(FoundationZone.text(time) == next)
        }
    }
}

/// A real time zone, with its history.
struct FoundationZone: ZoneOffsets {
    let zone: TimeZone

    init(_ name: String) throws {
        struct Unknown: Error {}
        guard let zone = TimeZone(identifier: name) else { throw Unknown() }
        self.zone = zone
    }

    func offset(at seconds: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))))
    }

    /// A time in UTC, such as `2026-03-29T01:00:00Z`; wall clock, ms.
    static func time(_ text: String) throws -> Int64 {
        Int64(try Date(text, strategy: .iso8601).timeIntervalSince1970 * 1_000)
    }

    /// The inverse of ``time(_:)``.
    static func text(_ time: Int64) -> String {
        Date(timeIntervalSince1970: Double(time) / 1_000).formatted(.iso8601)
    }
}
