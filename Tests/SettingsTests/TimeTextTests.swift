import Settings
import Testing

@Suite struct TimeTextTests {
    @Test(arguments: [
        ("1970-01-01T00:00Z", Int64(0)),
        ("2026-12-01T09:00Z", 1_796_115_600_000),
        ("2026-12-01T09:00:00Z", 1_796_115_600_000),
        ("2026-12-01T11:00:00+02:00", 1_796_115_600_000),
        ("2026-12-01t03:30:00-05:30", 1_796_115_600_000),
        ("2026-12-01 09:00:00.25z", 1_796_115_600_250),
        ("2026-12-01T09:00:00.123999999Z", 1_796_115_600_123),
        ("2000-02-29T00:00:00Z", 951_782_400_000),
        ("2024-02-29T12:34:56.789Z", 1_709_210_096_789),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("1900-03-01T00:00:00Z", -2_203_891_200_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ])
    func reads(_ text: String, _ expected: Int64) throws {
        #expect(try TimeText.parseRFC3339(text) == expected)
    }

    @Test(arguments: [
        "", "now", "2026-12-01", "2026-12-01T", "2026-12-01T09Z", "2026-12-01T09:00:Z", "2026-12-01T09:00:00.Z", "2026-12-01T09:00X",
        "2026-12-01T09:00Zx", "26-12-01T09:00Z", "2026-1-1T09:00Z", "2026-12-01T09:00+0200", "2026-12-01T09:00+24:00",
        "2026-12-01T9:00Z", "+2026-12-01T09:00Z",
    ])
    func refusesWhatIsNoTime(_ text: String) {
        #expect(refusal { () throws(InvalidText) in try TimeText.parseRFC3339(text) }?.contains("is not a time") == true)
    }

    @Test(arguments: [
        "2026-02-29T00:00Z", "1900-02-29T00:00Z", "2026-13-01T00:00Z", "2026-00-01T00:00Z", "2026-04-31T00:00Z", "2026-01-00T00:00Z",
        "2026-01-01T24:00Z", "2026-01-01T00:60Z", "2026-01-01T00:00:61Z",
    ])
    func refusesWhatDoesNotExist(_ text: String) {
        #expect(refusal { () throws(InvalidText) in try TimeText.parseRFC3339(text) } == "'\(text)' is not a time that exists")
    }

    @Test func asksForATimeZone() {
        let refused = refusal { () throws(InvalidText) in try TimeText.parseRFC3339("2026-12-01T09:00") }
        #expect(refused == "'2026-12-01T09:00' has no time zone (end it with Z, or an offset such as +02:00)")
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (1_796_115_600_000, "2026-12-01T09:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_007, "2000-02-29T00:00:00.007Z"), (253_402_300_800_000, "10000-01-01T00:00:00.000Z"),
    ])
    func writes(_ milliseconds: Int64, _ expected: String) {
        #expect(TimeText.format(milliseconds) == expected)
    }

    /// 1896 to 2104: across 1900 and 2100, which are no leap years, and 2000, which is one.
    @Test func everyDayComesBack() throws {
        var previous = Int64.min
        for day in Int64(-27_000)...49_300 {
            let time = day * 86_400_000 + 12_345_678
            let text = TimeText.format(time)
            let back = try TimeText.parseRFC3339(text)
            guard back == time, back > previous else {
                Issue.record("\(time) became \(text), then \(back)")
                return
            }
            previous = back
        }
    }

    @Test func theEndsOfTimeDoNotTrap() {
        #expect(TimeText.format(.max) == "292278994-08-17T07:12:55.807Z")
        #expect(TimeText.format(.min).hasPrefix("-292275055-05-16T16:47:04.192"))
    }
}
