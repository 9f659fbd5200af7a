import Testing

@testable import agent_queue

/// Widths and usage messages, by themselves.
@Suite struct TextTests {
    @Test("Widths", arguments: [("abc", 3), ("日本", 4), ("e\u{301}", 1), ("👩‍👩‍👧", 2), ("❤️", 2), ("한글", 4), ("\u{200B}", 0), ("ﾊ", 1), ("", 0)])
    func widths(text: String, width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }

    @Test("Cuts", arguments: [("abcdef", 4, "abc…"), ("日本語", 4, "日…"), ("日本語", 6, "日本語"), ("ab", 0, ""), ("abc", 1, "…")])
    func truncation(text: String, width: Int, expected: String) {
        #expect(DisplayWidth.truncate(text, to: width) == expected)
    }

    @Test(
        "Usage messages become one sentence",
        arguments: [
            ("Unknown option '--x'", "unknown option '--x'"),
            ("Unknown option '--foo'. Did you mean '--file'?", "unknown option '--foo' (did you mean '--file'?)"),
            ("The value 'x' is invalid for '--state <state>': why.", "--state: why"), ("Error: Missing\nvalue.", "missing value"),
            ("The value 'abc' is invalid for '<id>'", "the value 'abc' is invalid for '<id>'"),
        ])
    func usage(message: String, expected: String) {
        #expect(UsageText.sentence(message) == expected)
    }
}
