import Testing

@testable import AgentQueueModel

@Suite struct PatternTests {
    private static func schema(_ pattern: String) throws -> JSONSchema { try JSONSchema(["pattern": .string(pattern)]) }

    @Test(
        arguments: [
            ("^[a-z0-9]+(-[a-z0-9]+)*$", ["a", "a-b", "a1-b2-c3"], ["", "-a", "a-", "a--b", "A"]),
            (#"^\d{4}-\d{2}-\d{2}$"#, ["2026-12-01"], ["2026-1-1", "x2026-12-01", "2026-12-01\n", "٢٠٢٦-12-01"]),
            ("colou?r", ["my color", "colour"], ["colr"]),
            ("^(?:a|bc){2,3}$", ["aa", "abc", "bcbcbc"], ["a", "aaaa"]),
            ("^a{2}$", ["aa"], ["a", "aaa"]),
            ("^a{2,}$", ["aa", "aaaaa"], ["a"]),
            ("^a{0}$", [""], ["a"]),
            ("^.$", ["é", "💩", "\u{0}"], ["", "\n", "\u{2028}", "e\u{301}"]),
            ("^[^a-c]$", ["d", "\n", "💩"], ["a", "c", ""]),
            ("^[]$", [], ["", "]"]),
            ("^[^]$", ["\n", "a"], ["", "ab"]),
            (#"^[\]\\-]$"#, ["]", "\\", "-"], ["a"]),
            (#"^[a-\d]$"#, ["a", "-", "7"], ["b"]),
            (#"^[\w.+-]+@[\w-]+\.[\w.]+$"#, ["a.b+c@d-e.com"], ["a@b", "a b@c.d"]),
            (#"^\w+\s\W\S$"#, ["ab -x", "ab\u{FEFF}-x", "ab\u{A0}é-"], ["ab--x"]),
            (#"\bcat\b"#, ["a cat.", "cat"], ["concat", "cats"]),
            (#"\Bcat"#, ["concat"], ["cat"]),
            (#"^\p{Lu}\p{Ll}+$"#, ["Élan"], ["élan", "É1"]),
            (#"^\P{L}+$"#, ["123"], ["a"]),
            (#"^[\p{L}\d]+$"#, ["é7"], ["-"]),
            (#"^[^\P{L}]+$"#, ["é"], ["7"]),
            (#"^\u00e9\x41\u{1F4A9}\uD83D\uDCA9$"#, ["éA💩💩"], ["eA💩💩"]),
            (#"^\cJ\t\0$"#, ["\n\t\u{0}"], ["J"]),
            ("^(?=.*\\d)(?=.*[a-z])(?!.* ).{4,8}$", ["abc1", "1abcdefg"], ["abcd", "1234", "ab 1", "a1b", "abcdefgh1"]),
            ("a(?!b)", ["ac", "a"], ["ab"]),
            ("^(?<year>\\d+)$", ["7"], ["x"]),
            ("^a|b$", ["ax", "xb"], ["xa", "bx"]),
            ("^(a*)*$", ["", "aaa"], ["b"]),
            ("^(|a)+?b*?$", ["", "ab", "aab"], ["c"]),
            ("^{$", ["{"], ["a"]),
            ("^a{,2}$", ["a{,2}"], ["a"]),
            ("^x{1,b}]}$", ["x{1,b}]}"], ["x"]),
            (#"^\/\-\.\$\@$"#, ["/-.$@"], ["/"]),
            ("", ["", "x"], []),
        ] as [(String, [String], [String])])
    func matches(_ pattern: String, _ fitting: [String], _ failing: [String]) throws {
        let schema = try Self.schema(pattern)
        for text in fitting { #expect(schema.accepts(.string(text)), "\(text.debugDescription) must fit") }
        for text in failing { #expect(!schema.accepts(.string(text)), "\(text.debugDescription) must not fit") }
    }

    @Test(
        arguments: [
            ("(a", "at character 1: '(' without its ')'"), ("a)", "at character 2: ')' without its '('"), ("[a", "'[' without its ']'"),
            ("*a", "nothing to repeat"), ("a**", "nothing to repeat"), ("^*", "nothing to repeat"), ("{2}", "nothing to repeat"),
            (#"(a)\1"#, "backreferences are not supported"), (#"\k<a>"#, "backreferences are not supported"),
            ("(?<=a)b", "lookbehinds are not supported"), ("(?<!a)b", "lookbehinds are not supported"),
            ("(?i)a", "'(?' must be followed by"), (#"^a\Z"#, #"the escape '\Z' is not one of ECMA-262"#),
            (#"\"#, "a backslash at the end"),
            ("[b-a]", "a range out of order"), ("a{3,2}", "out of order"), ("a{20000}", "more than 10000 repetitions"),
            ("(a{1000}){1000}", "it repeats too much"), ("((()*){100}){1000}", "it repeats too much"),
            (#"\p{Script=Latin}"#, "only the general categories"),
            (#"\u12"#, "4 hexadecimal digits"), (#"\u{110000}"#, "no such code point"), (#"\u{}"#, "no such code point"),
            (#"\c1"#, "needs a letter"),
            (#"\01"#, "octal escapes are not supported"), (String(repeating: "(", count: 60), "nested deeper than 50"),
        ])
    func refusals(_ pattern: String, _ reason: String) {
        let error = #expect(throws: JSONSchemaError.self) { try Self.schema(pattern) }
        #expect(error?.problem.contains(reason) == true, "\(error?.problem ?? "")")
        #expect(throws: JSONSchemaError.self) { try JSONSchema(["patternProperties": .object([.init(pattern, true)])]) }
    }

    /// What takes a backtracking matcher longer than the world will last.
    @Test(
        .timeLimit(.minutes(1)), arguments: ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y"])
    func hostilePatternsEnd(_ pattern: String) throws {
        let schema = try Self.schema(pattern)
        #expect(!schema.accepts(.string(String(repeating: pattern.contains("x") ? "x" : "a", count: 5_000) + "!")))
    }

    /// Where the work would be too much even so, the value is refused, and the sentence says why.
    @Test func workIsBounded() throws {
        let schema = try Self.schema(".{0,1000}x$")
        let violations = schema.violations(in: .string(String(repeating: "a", count: 10_000)), work: 100_000)
        #expect(violations.map(\.message) == ["takes too long to be checked: it is too large, or the schema too intricate"])
        #expect(!schema.accepts("aaa") && schema.accepts("aaax"))
    }
}
