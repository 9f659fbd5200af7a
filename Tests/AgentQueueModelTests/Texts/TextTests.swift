import AgentQueueModel
import Testing

/// What a parser says against a text; nil if it takes it.
func refusal<Value>(_ parse: () throws(InvalidText) -> Value) -> String? {
    do {
        _ = try parse()
        return nil
    } catch {
        return error.message
    }
}

@Suite struct ByteCountTextTests {
    @Test(arguments: [
        ("64MiB", Int64(67_108_864)), ("8GiB", 8_589_934_592), ("500kB", 500_000), ("500KB", 500_000), ("4096", 4096), ("0", 0),
        ("1TB", 1_000_000_000_000),
        ("1.5GiB", 1_610_612_736), ("64 mib", 67_108_864), ("12B", 12),
    ])
    func reads(_ text: String, _ expected: Int64) throws {
        #expect(try ByteCountText.parse(text) == expected)
    }

    @Test(arguments: ["", "MiB", "64M", "64K", "5 apples", "0x10", "1e6", "9223372036854775808", "9000000000TiB"])
    func refuses(_ text: String) {
        #expect(refusal { () throws(InvalidText) in try ByteCountText.parse(text) } != nil)
    }

    @Test func namesTheRange() {
        #expect(
            refusal { () throws(InvalidText) in try ByteCountText.parse("2GiB", in: 0...(1 << 30)) } == "2GiB is out of range (0B to 1GiB)")
        #expect(refusal { () throws(InvalidText) in try ByteCountText.parse("-1") } == "'-1' is negative; a byte count cannot be")
    }

    @Test(arguments: [
        (Int64(0), "0B"), (67_108_864, "64MiB"), (500_000, "500kB"), (1537, "1537B"), (1_000_000, "1MB"), (1 << 40, "1TiB"),
        (.max, "9223372036854775807B"),
    ])
    func writes(_ bytes: Int64, _ expected: String) throws {
        #expect(ByteCountText.format(bytes) == expected)
        #expect(try ByteCountText.parse(expected) == bytes)
    }
}

@Suite struct DurationTextTests {
    @Test(arguments: [
        ("10ms", Duration.milliseconds(10)), ("30s", .seconds(30)), ("10m", .seconds(600)), ("1h30m", .seconds(5400)),
        ("7d", .seconds(604_800)), ("2w", .seconds(1_209_600)), ("0", .zero), ("0s", .zero), ("90", .seconds(90)),
        ("1.5", .milliseconds(1500)), ("1.5h", .seconds(5400)), ("0.1s", .milliseconds(100)), ("250us", .microseconds(250)),
        ("250µs", .microseconds(250)), ("1ns", .nanoseconds(1)), ("1w2d3h4m5s6ms", .milliseconds(788_645_006)), (" 5s ", .seconds(5)),
    ])
    func reads(_ text: String, _ expected: Duration) throws {
        #expect(try DurationText.parse(text) == expected)
    }

    @Test(arguments: ["", " ", "s", "5x", "1h30", "30m1h", "1h1h", "1..5s", ".5s", "1.s", "5 s", "+5s", "1e3s", "soon", "５s"])
    func refuses(_ text: String) {
        #expect(refusal { () throws(InvalidText) in try DurationText.parse(text) }?.contains("is not a duration") == true)
    }

    @Test func refusesWhatIsNegativeTooLongOrOutOfRange() {
        #expect(refusal { () throws(InvalidText) in try DurationText.parse("-5s") } == "'-5s' is negative; a duration cannot be")
        for text in ["400000d", "99999999999999999999s", "9223372036854775807w"] {
            #expect(refusal { () throws(InvalidText) in try DurationText.parse(text) } != nil)
        }
        let range = Duration.seconds(1) ... .seconds(60)
        #expect(refusal { () throws(InvalidText) in try DurationText.parse("90s", in: range) } == "1m30s is out of range (1s to 1m)")
        #expect(refusal { () throws(InvalidText) in try DurationText.parse("60s", in: range) } == nil)
    }

    @Test(arguments: [
        (Duration.zero, "0s"), (.milliseconds(10), "10ms"), (.seconds(30), "30s"), (.seconds(600), "10m"), (.seconds(5400), "1h30m"),
        (.seconds(30 * 86_400), "30d"), (.milliseconds(1500), "1.5s"), (.microseconds(1500), "1.5ms"), (.nanoseconds(1), "1ns"),
        (.milliseconds(90_250), "1m30.25s"), (.seconds(-90), "-1m30s"), (.seconds(86_401), "1d1s"),
    ])
    func writes(_ duration: Duration, _ expected: String) {
        #expect(DurationText.format(duration) == expected)
    }

    @Test func writesWhatItReads() throws {
        var nanoseconds: Int64 = 1
        for step in 0..<2000 {
            nanoseconds = (nanoseconds &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407) & .max
            let duration = Duration.nanoseconds(nanoseconds >> (step % 60))
            #expect(try DurationText.parse(DurationText.format(duration)) == duration)
        }
    }
}

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

@Suite struct TargetNameTests {
    @Test(arguments: [
        ("local/smollm2", "local", "smollm2"), ("openrouter/meta-llama/llama-3:free", "openrouter", "meta-llama/llama-3:free"),
        ("claude-code/sonnet", "claude-code", "sonnet"),
    ])
    func reads(_ text: String, _ provider: String, _ model: String) throws {
        let target = try TargetName(text)
        #expect(target.provider == provider)
        #expect(target.model == model)
        #expect(target.description == text)
    }

    @Test(arguments: [
        "", "sonnet", "/sonnet", "local/", "lo cal/x", "local/a b", "local/a\u{1B}[0m", "-x/y", "a.b/c",
        "local/" + String(repeating: "x", count: 200),
    ])
    func refuses(_ text: String) {
        #expect(refusal { () throws(InvalidText) in try TargetName(text) } != nil)
    }

    @Test func aMessageHoldsNoControlCharacter() {
        let message = refusal { () throws(InvalidText) in try TargetName("local/a\u{1B}[31m\u{202E}b") } ?? ""
        #expect(message.hasPrefix("'local/a\\u{1b}[31m\\u{202e}b' is not a target"))
    }
}

@Suite struct HexadecimalTests {
    @Test(arguments: [([], ""), ([0, 10, 255], "000aff")] as [([UInt8], String)])
    func digestsComeBack(_ bytes: [UInt8], _ text: String) {
        #expect(Hexadecimal.text(bytes) == text)
        #expect(Hexadecimal.bytes(text) == bytes)
        #expect(Hexadecimal.bytes(text.uppercased()) == bytes)
    }

    @Test(arguments: ["0", "0g", "é0", " 00", "-1"])
    func otherTextsAreNone(_ text: String) {
        #expect(Hexadecimal.bytes(text) == nil)
    }
}
