import AgentQueueModel
import Testing

@Suite struct ExpressionTests {
    private static let subject: JSONValue = [
        "topic": "billing", "score": 3, "ratio": 0.5, "archived": false, "open": true, "nothing": .null, "tags": ["x", "y"],
        "sizes": [1, 2.5], "author": ["name": "Ana", "odd key": ["a": [10, 20]]], "big": .integer(9_007_199_254_740_993),
        "huge": .digits("123456789012345678901234567890"), "and": 7, "seção": "três", "content-type": "text", "empty": [], "text": "3",
        "exists": 4,
    ]

    @Test(
        arguments: [
            // Literals of every kind, both quotes, escapes.
            (#"topic = "billing""#, true), ("topic = 'billing'", true), ("topic == 'bill\\u0069ng'", true), ("topic = 'it\\'s'", false),
            (#"'it\'s' = "it's""#, true), (#"'say "x"' = "say \"x\"""#, true), ("ratio = 5e-1", true), ("score = 3.0", true),
            ("score = -3", false), ("open = true", true), ("archived = FALSE", true), ("sizes = [1.0, 2.5]", true),
            // Numbers, exactly.
            ("big = 9007199254740993", true), ("big = 9007199254740992", false), ("big > 9007199254740992", true),
            ("big > 9007199254740992.0", true), ("big = 9007199254740992.0", false), ("huge > 1e29", true), ("huge < 1e30", true),
            ("huge = 123456789012345678901234567890", true), ("huge > 123456789012345678901234567889", true), ("huge > big", true),
            ("ratio < 1", true), ("ratio >= 0.5", true), ("ratio > 0.5", false), ("score <= 3", true), ("score < 3", false),
            ("0.1 < 0.2", true), ("-1 < 0", true), ("-0.0 = 0", true), ("1e400 = 1e400", nil),
            // Strings, by code points.
            ("topic < 'c'", true), ("topic >= 'billing'", true), ("'Z' < 'a'", true), ("'z' < 'é'", true), ("'\u{FFFF}' < '😀'", true),
            ("'e\u{301}' = 'é'", false), ("'' < 'a'", true),
            // Two kinds: unequal, and neither less.
            ("text = 3", false), ("text != 3", true), ("text < 4", false), ("text >= 3", false), ("open > 0", false),
            ("open >= true", false),
            ("open != 1", true), ("author = 'Ana'", false), ("tags < 'z'", false),
            // Null and what is missing.
            ("nothing = null", true), ("missing = null", true), ("topic = null", false), ("topic != null", true),
            ("missing != null", false),
            ("missing != 'x'", true), ("missing = 'x'", false), ("missing < 1", false), ("missing >= null", false),
            ("null <= null", false), ("missing in ['x', null]", true), ("missing not in ['x']", true), ("exists(topic)", true),
            ("exists(nothing)", false), ("exists(missing)", false), ("EXISTS ( author.name )", true),
            ("exists(author['odd key'].a[1])", true),
            ("exists(author['odd key'].a[2])", false), ("exists($)", true), ("missing = other", true),
            // Lists.
            ("tags = 'x'", true), ("tags = 'z'", false), ("tags != 'x'", false), ("tags != 'z'", true), ("'y' = tags", true),
            ("tags = ['x', 'y']", true), ("tags = ['y', 'x']", false), ("sizes = 1.0", true), ("tags in ['z', 'y']", true),
            ("tags not in ['z']", true), ("topic in ['billing']", true), ("topic in []", false), ("score in [1, 2, 3]", true),
            ("score NOT IN [1, 2]", true), ("empty = []", true), ("empty = null", false), ("exists(empty)", true),
            ("topic = ['billing', 'sales']", true),
            // Paths.
            ("author.name = 'Ana'", true), (#"author["name"] = "Ana""#, true), (#"$["author"].name = "Ana""#, true),
            ("author['odd key'].a[0] = 10", true), ("tags[1] = 'y'", true), ("tags[2] = null", true), ("topic[0] = null", true),
            ("tags.x = null", true), ("$.and = 7", true), ("seção = 'três'", true), ("content-type = 'text'", true),
            ("author.and = null", true), ("exists = 4", true), ("exists(exists)", true), ("score=3", true), ("score>-4", true),
            // Alone.
            ("open", true), ("archived", false), ("topic", false), ("missing", false), ("true", true), ("false", false), ("$", false),
            // Together: not binds closer than and, and that closer than or.
            ("not open", false), ("not archived", true), ("!archived", true), ("not topic = 'x'", true), ("! topic = 'x'", true),
            ("not not open", true), ("not missing", true), ("open and archived", false), ("open or archived", true),
            ("open && !archived || false", true), ("true or true and false", true), ("(true or true) and false", false),
            ("not true or true", true), ("not (true or true)", false), ("not false and false", false), ("not (false and false)", true),
            ("open AND NOT archived", true), ("(topic = 'billing') = true", true), ("(not open) = archived", true),
            ("exists(topic) != exists(missing)", true),
            (
                #"topic = "billing" and (score >= 3 or lang in ["en", "pt"]) and exists(author.name) and not archived"#, true
            ),
        ] as [(String, Bool?)])
    func holds(_ text: String, _ expected: Bool?) throws {
        guard let expected else {
            #expect(throws: ExpressionError.self) { try Expression.parse(text) }
            return
        }
        let expression = try Expression.parse(text)
        #expect(expression.holds(for: Self.subject) == expected)
        #expect(expression.evaluate(on: Self.subject) == (try Expression.parse(expression.description)).evaluate(on: Self.subject))
    }

    @Test(
        arguments: [
            ("", 1, "expected a condition"), ("   ", 4, "expected a condition"), ("score >=", 9, "expected a value after '>='"),
            ("score >= and", 10, "expected a value after '>=', not 'and'"),
            ("a = 1 b = 2", 7, "expected 'and', 'or' or the end after the number, not 'b'"),
            ("1 < a < 5", 7, "expected 'and', 'or' or the end after 'a', not '<'"), ("a and", 6, "expected a condition after 'and'"),
            ("and a", 1, "expected a condition, not 'and'"), ("(a", 3, "expected ')' after 'a'"),
            ("a)", 2, "expected 'and', 'or' or the end after 'a', not ')'"),
            ("a in 'x'", 6, "expected a list such as [\"a\", \"b\"] after 'in', not the string"),
            ("a in ['x'", 10, "expected ',' or ']' after the string"),
            ("a in ['x',]", 11, "expected a value after ',', not ']'"), ("a in [b]", 7, "expected a value after '[', not 'b'"),
            ("a not 1", 3, "expected 'and', 'or' or the end after 'a', not 'not'"),
            ("'abc", 1, "a string without its end"), ("a = 'abc\\", 5, "a string without its end"),
            ("a = '\\x'", 5, "a malformed string: an unknown escape"),
            ("a = 'b\nc'", 5, "a malformed string: a raw control character in a string"),
            ("'text'", 1, "a value alone is no condition: expected a comparison after it"),
            ("a and 5", 7, "a value alone is no condition: expected a comparison after it"),
            ("not null", 5, "a value alone is no condition: expected a comparison after it"),
            ("a = 1x", 5, "a malformed number"), ("a = 01", 5, "a malformed number"), ("a = --1", 5, "a malformed number"),
            ("a = 1e999", 5, "a malformed number"), ("a. = 1", 4, "expected a name after '.', not '='"),
            ("a[b] = 1", 3, "expected a name in quotes, or a place from 0 after '[', not 'b'"),
            ("a[-1] = 1", 3, "expected a name in quotes, or a place from 0 after '[', not the number"),
            ("a[0 = 1", 5, "expected ']' after the number, not '='"),
            ("exists(5)", 8, "expected a field after '(', not the number"), ("exists()", 8, "expected a field after '(', not ')'"),
            ("a = 1;", 6, "unexpected ';'"),
            ("a & b", 3, "unexpected '&'"), ("a = \u{7}", 5, "unexpected character U+0007"),
            ("a = \u{1F600}", 5, "unexpected character U+1F600"),
            ("a = \u{A0}1", 5, "unexpected character U+00A0"), ("é = # ", 5, "unexpected '#'"),
            ("a ! = 1", 3, "expected 'and', 'or' or the end after 'a', not '!'"),
        ] as [(String, Int, String)])
    func isRefused(_ text: String, _ column: Int, _ problem: String) {
        let error = #expect(throws: ExpressionError.self) { try Expression.parse(text) }
        #expect(error?.problem == problem)
        #expect(error?.column == column)
        #expect(error?.description == "column \(column): \(problem)")
    }

    @Test(
        arguments: [
            ("a=='x'&&b||!c", #"(a = "x" and b) or not c"#), ("a and (b and c)", "a and (b and c)"), ("((a))", "a"),
            ("not (a or b)", "not (a or b)"), ("(a or b) and c", "(a or b) and c"), ("A NOT IN [1.0, 'x']", #"A not in [1,"x"]"#),
            (#"a['b'].c['d e'][0]"#, #"a.b.c["d e"][0]"#), ("$.and.or", #"$["and"].or"#), ("$['x'] = 1", "x = 1"), ("$[0] = 1", "$[0] = 1"),
            ("$ = 1", "$ = 1"), ("EXISTS(a)", "exists(a)"), ("(not a) = true", "(not a) = true"), ("1.50 = a", "1.5 = a"),
            ("a = '\\u0007\"'", #"a = "\u0007\"""#), ("not a in [1]", "a not in [1]"),
        ])
    func isPrintedInOneSpelling(_ text: String, _ canonical: String) throws {
        let expression = try Expression.parse(text)
        #expect(expression.description == canonical)
        #expect(try Expression.parse(canonical) == expression)
    }

    @Test func aLongTextIsRefusedAtItsBounds() throws {
        func problem(_ text: String) -> String? { #expect(throws: ExpressionError.self) { try Expression.parse(text) }?.problem }
        let fits = "a = '" + String(repeating: "x", count: Expression.maxBytes - 6) + "'"
        #expect(try Expression.parse(fits).holds(for: [:]) == false)
        #expect(problem(fits + " ") == "longer than 64 KiB")
        func nested(_ open: String, _ close: String, _ depth: Int) -> String {
            String(repeating: open, count: depth) + "a" + String(repeating: close, count: depth)
        }
        for (open, close) in [("(", ")"), ("not ", ""), ("!(", ")")] {
            let depth = open == "!(" ? 32 : 64
            _ = try Expression.parse(nested(open, close, depth))
            #expect(problem(nested(open, close, depth + 1)) == "nested deeper than 64")
            #expect(problem(nested(open, close, 5_000)) == "nested deeper than 64")
        }
        #expect(problem("a = " + String(repeating: "[", count: 60_000)) == "nested deeper than 64")
        let many = Array(repeating: "a", count: 10_000).joined(separator: " or ")
        #expect(try Expression.parse(many).holds(for: ["a": true]))
        #expect(problem(many + " or a") == "more than 10000 parts")
        #expect(problem("a in [" + Array(repeating: "1", count: 10_000).joined(separator: ",") + "]") == "more than 10000 parts")
        #expect(problem("a" + String(repeating: "[0]", count: 10_000)) == "more than 10000 parts")
    }

    @Test func wordsOfAMessageAreCut() {
        let error = #expect(throws: ExpressionError.self) { try Expression.parse("a = 1 " + String(repeating: "b", count: 1_000)) }
        #expect(error?.problem == "expected 'and', 'or' or the end after the number, not '\(String(repeating: "b", count: 40))…'")
    }
}
