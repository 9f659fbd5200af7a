import Settings
import Testing

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
