import AgentQueueModel
import AgentQueueReports
import Testing

/// Figures and escapes, by themselves.
@Suite struct TextTests {
    @Test(
        "Numbers",
        arguments: [
            (Figures.count(0), "0"), (Figures.count(999), "999"), (Figures.count(1_000), "1,000"),
            (Figures.count(-1_234_567), "-1,234,567"),
            (Figures.count(Int64.min), "-9,223,372,036,854,775,808"),
            (Figures.count(1, "job"), "1 job"), (Figures.count(2, "miss", plural: "misses"), "2 misses"),
            (Figures.bytes(1_023), "1023 B"), (Figures.bytes(1_536), "1.5 KiB"), (Figures.bytes(Int64.max), "8,192 PiB"),
            (Figures.money(0), "$0"), (Figures.money(0.0000191), "$0.0000191"), (Figures.money(12.345), "$12.35"),
            (Figures.duration(milliseconds: 999), "999ms"), (Figures.duration(milliseconds: 1_234), "1.23s"),
            (Figures.duration(milliseconds: 125_000), "2m5s"), (Figures.coarse(seconds: 7_380), "2h3m"),
            (Figures.coarse(seconds: 90_000), "1d1h"),
            (Figures.relative(0, now: 180_000), "3m ago"), (Figures.relative(7_200_000, now: 0), "in 2h"),
            (Figures.relative(0, now: 999), "now"),
            (Figures.decimal(-0.04, places: 1), "0.0"), (Figures.decimal(.infinity, places: 1), "inf"),
            (Figures.decimal(9.96, places: 1), "10.0"),
        ])
    func figures(shown: String, expected: String) {
        #expect(shown == expected)
    }

    @Test("Escapes")
    func escapes() {
        #expect(DisplayText.line("a\u{1B}b\n\tc\u{85}\u{202E}") == "a\\u{1b}b\\n\\tc\\u{85}\\u{202e}")
        #expect(DisplayText.lines("a\n\tb\r") == "a\n\tb\\r")
        #expect(DisplayText.line("abcdef", limit: 3) == "abc…")
        #expect(JSONText.text(["k\u{9B}": "v\u{202E}é\u{1B}日"]) == "{\"k\\u009b\":\"v\\u202eé\\u001b日\"}")
    }

    @Test("Digests")
    func hexadecimal() {
        #expect(Hexadecimal.text([0x00, 0xFF, 0x7A]) == "00ff7a")
    }
}
