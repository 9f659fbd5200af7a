import AgentQueueModel
import AgentQueueTestSupport
import Testing

@Suite struct JSONValueTests {
    @Test(
        arguments: [
            ("null", JSONValue.null), ("true", true), ("false", false), ("0", 0), ("-0", 0), ("12", 12), ("-12", -12),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .digits("9223372036854775808")), ("-9223372036854775809", .digits("-9223372036854775809")),
            ("9007199254740993", .integer(9_007_199_254_740_993)), ("1.5", 1.5), ("-1.5e-3", -0.0015), ("1E2", .double(100)),
            ("1e+2", .double(100)), ("1e-400", .double(0)), ("\"\"", ""), ("\"a/b\"", "a/b"), ("[]", []), ("{}", [:]),
            (" [ 1 , [ ] ] ", [1, []]),
            ("\t{ \"a\" : 1 ,\r\n\"b\" : { } } ", ["a": 1, "b": [:]]), ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{c}\n\r\t"),
            ("\"\\u0041\\u00e9\\u20AC\"", "Aé€"), ("\"\\ud83d\\ude00\"", "😀"), ("\"\\u0000\"", "\0"),
            ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
        ] as [(String, JSONValue)])
    func isRead(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue.parse(text) == value)
        #expect(try JSONValue.parse(Array(text.utf8)) == value)
    }

    @Test(arguments: [
        ("", 1, "it ends too early"), ("  ", 3, "it ends too early"), ("nul", 4, "unknown word"), ("True", 1, "unexpected byte 0x54"),
        ("1 2", 3, "something follows"), ("{} x", 4, "something follows"), ("01", 1, "malformed number"), ("-", 1, "malformed number"),
        ("-a", 1, "malformed number"), ("+1", 1, "unexpected byte"), (".5", 1, "unexpected byte"), ("1.", 1, "malformed number"),
        ("1.e3", 1, "malformed number"), ("1e", 1, "malformed number"), ("1e+", 1, "malformed number"), ("1e400", 1, "out of range"),
        ("-1e400", 1, "out of range"), ("NaN", 1, "unexpected byte"), ("[1,]", 4, "unexpected byte"), ("[1 2]", 4, "a list needs"),
        ("[1", 3, "a list needs"), ("[", 2, "it ends too early"), ("{\"a\":1,}", 8, "an object needs a key"),
        ("{\"a\" 1}", 6, "a key needs ':'"),
        ("{\"a\":1 \"b\":2}", 8, "an object needs ','"), ("{1:2}", 2, "an object needs a key"), ("{\"a\":", 6, "it ends too early"),
        ("\"abc", 2, "without its end"), ("\"abc\\", 6, "without its end"), ("\"a\nb\"", 3, "raw control"),
        ("\"\\n\u{1}\"", 4, "raw control"),
        ("\"\\x\"", 3, "unknown escape"), ("\"\\u12g4\"", 6, "four hexadecimal"), ("\"\\u12", 6, "four hexadecimal"),
        ("\"\\ud83d\"", 8, "surrogate"), ("\"\\ud83dx\"", 8, "surrogate"), ("\"\\ud83d\\n\"", 9, "surrogate"),
        ("\"\\ud83d\\u0041\"", 14, "surrogate"), ("\"\\ude00\"", 8, "surrogate"), ("'a'", 1, "unexpected byte 0x27"),
        ("\u{FEFF}1", 1, "unexpected byte 0xef"),
    ])
    func isRefused(_ text: String, _ position: Int, _ problem: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
        #expect(error?.offset == position - 1)
        #expect(error?.description.hasPrefix("not valid JSON at byte \(position): ") == true)
        #expect(error?.problem.contains(problem) == true, "\(error?.problem ?? "")")
    }

    /// Overlong forms, surrogates, beyond U+10FFFF, lone continuation bytes, cut sequences; in a value, behind an escape,
    /// and in a key.
    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x80, 0x80], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func invalidUTF8IsRefused(_ bytes: [UInt8]) {
        for (before, after) in [("\"a", "b\""), ("\"a\\n", "b\""), ("{\"", "\":1}")] {
            let error = #expect(throws: JSONError.self) { try JSONValue.parse(Array(before.utf8) + bytes + Array(after.utf8)) }
            #expect(error?.problem == "invalid UTF-8")
        }
    }

    @Test func bytesOutsideStringsMustBeASCII() {
        #expect(throws: JSONError.self) { try JSONValue.parse([0xC2, 0xA0, 0x31] as [UInt8]) }
        #expect(throws: JSONError.self) { try JSONValue.parse([0x31, 0x00] as [UInt8]) }
    }

    @Test(arguments: [2, 15, 16, 17, 18, 40, 1_000])
    func duplicateKeysAreRefused(keys: Int) throws {
        let members = (0..<keys).map { "\"k\($0)\":\($0)" }
        #expect(try JSONValue.parse("{\(members.joined(separator: ","))}").members?.count == keys)
        for twice in [0, keys / 2, keys - 1] {
            let error = #expect(throws: JSONError.self) {
                try JSONValue.parse("{\((members + ["\"k\(twice)\":null"]).joined(separator: ","))}")
            }
            #expect(error?.problem == "the key 'k\(twice)' stands twice")
        }
        // Written another way, it is the same key.
        #expect(throws: JSONError.self) { try JSONValue.parse("{\"a\":1,\"\\u0061\":2}") }
        // The same key in another object is another key.
        #expect(throws: Never.self) { try JSONValue.parse("[{\"a\":{\"a\":1}},{\"a\":2}]") }
    }

    /// Swift's `==` takes two spellings of `é` for the same text. They are two keys, and two values.
    @Test func textsThatDifferByUnicodeFormAreDifferent() throws {
        let text = #"{"caf\u00e9":1,"cafe\u0301":2}"#
        let value = try JSONValue.parse(text)
        #expect(value.members?.count == 2)
        #expect((value["caf\u{E9}"], value["cafe\u{301}"]) == (1, 2))
        #expect(throws: JSONError.self) { try JSONValue.parse(text.replacing("}", with: #","caf\u00e9":3}"#)) }
        #expect(JSONValue.string("caf\u{E9}") != JSONValue.string("cafe\u{301}"))
        #expect(JSONValue.object([.init("\u{212B}", 1)]) != JSONValue.object([.init("\u{C5}", 1)]))
        let many = (0..<40).map { "\"k\($0)\":0" } + ["\"\u{E9}\":1", "\"e\u{301}\":2"]
        #expect(try JSONValue.parse("{\(many.joined(separator: ","))}").members?.count == 42)
    }

    /// A million keys must not take a million squared steps, and a wide text no depth.
    @Test(.timeLimit(.minutes(1))) func hostileWidthIsRead() throws {
        let object = try JSONValue.parse("{" + (0..<200_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}")
        #expect(object.members?.count == 200_000)
        #expect(try JSONValue.parse("[" + String(repeating: "[],", count: 100_000) + "[]]").array?.count == 100_001)
    }

    @Test(arguments: ["[", "{\"a\":"])
    func depthIsBounded(_ opening: String) throws {
        let closing = opening == "[" ? "]" : "}"
        func nested(_ depth: Int) -> String {
            String(repeating: opening, count: depth - 1) + (opening == "[" ? "[]" : "{}") + String(repeating: closing, count: depth - 1)
        }
        let deepest = try JSONValue.parse(nested(JSONValue.maxDepth))
        #expect(try deepest == JSONValue.parse(nested(JSONValue.maxDepth)))
        #expect(String(decoding: deepest.utf8(sorted: true), as: UTF8.self) == nested(JSONValue.maxDepth))
        for depth in [JSONValue.maxDepth + 1, 100_000] {
            let error = #expect(throws: JSONError.self) { try JSONValue.parse(nested(depth)) }
            #expect(error?.problem == "nested deeper than 512")
        }
        #expect(throws: JSONError.self) { try JSONValue.parse(String(repeating: opening, count: 1_000_000)) }
    }

    @Test(
        arguments: [
            (JSONValue.null, "null"), (true, "true"), (.integer(.min), "-9223372036854775808"),
            (.digits("123456789012345678901"), "123456789012345678901"),
            (.double(1), "1"), (.double(-0.0), "0"), (.double(0.1), "0.1"), (.double(-1.5e-7), "-1.5e-07"), (.double(1e300), "1e+300"),
            (.double(9_007_199_254_740_991), "9007199254740991"), (.double(.infinity), "null"), (.double(.nan), "null"),
            (.double(0x1p63), "9.223372036854776e+18"), (.double(.greatestFiniteMagnitude), "1.7976931348623157e+308"),
            ("a\"\\/\n\r\t\u{8}\u{1b}\u{7F}é😀", "\"a\\\"\\\\/\\n\\r\\t\\u0008\\u001b\\u007fé😀\""), ("", "\"\""),
            ([1, [], [:], "x"], "[1,[],{},\"x\"]"), (["b": 1, "a": ["d": 2, "c": 3]], "{\"b\":1,\"a\":{\"d\":2,\"c\":3}}"),
        ] as [(JSONValue, String)])
    func isWritten(_ value: JSONValue, _ text: String) throws {
        #expect(value.text == text)
        if value.number?.isFinite != false { #expect(try JSONValue.parse(text).text == text) }
    }

    @Test(arguments: [
        ("{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}"),
        ("{\"b\":{\"z\":1,\"y\":[{\"d\":1,\"c\":2}]},\"a\":[2,1]}", "{\"a\":[2,1],\"b\":{\"y\":[{\"c\":2,\"d\":1}],\"z\":1}}"),
        (" { \"a\" : 1.0 , \"b\" : 1e2, \"c\": -0.0 } ", "{\"a\":1,\"b\":100,\"c\":0}"), ("\"\\u00e9\\/\"", "\"é/\""), ("0.10", "0.1"),
        ("10e-1", "1"),
        ("\"\\uD83D\\uDE00\"", "\"😀\""),
    ])
    func oneSpellingIsCanonical(_ text: String, _ canonical: String) throws {
        let value = try JSONValue.parse(text)
        #expect(value.canonicalText == canonical)
        #expect(try JSONValue.parse(canonical).canonicalText == canonical)
    }

    /// A number that anyone can send must not end the process: -2^63 as a double, whose magnitude `Int64` cannot hold.
    @Test func theSmallestWholeDoubleIsWritten() async {
        await #expect(processExitsWith: .success) {
            let value = try JSONValue.parse("-9223372036854775808.0")
            #expect(value.text == "-9.223372036854776e+18")
        }
    }

    /// What must be escaped is found at any place in a text, and nothing else is touched.
    @Test(arguments: ["\0", "\u{1F}", " ", "!", "\"", "#", "[", "\\", "]", "~", "\u{7F}", "\u{80}", "é", "\u{FF}", "\u{10FFFF}"])
    func escapesAreFoundAnywhere(_ scalar: String) throws {
        let escape = ["\0": "\\u0000", "\u{1F}": "\\u001f", "\"": "\\\"", "\\": "\\\\", "\u{7F}": "\\u007f"][scalar] ?? scalar
        for before in 0..<20 {
            for after in 0..<10 {
                let (head, tail) = (String(repeating: "x", count: before), String(repeating: "y", count: after))
                #expect(JSONValue.string(head + scalar + tail + scalar).text == "\"\(head)\(escape)\(tail)\(escape)\"")
            }
        }
    }

    /// Any value that can be written is read again as what it was.
    @Test func roundTrips() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2_000 {
            let value = JSONValue.random(depth: 4, using: &generator)
            #expect(try JSONValue.parse(value.text) == value)
            #expect(try JSONValue.parse(value.canonicalText).canonicalText == value.canonicalText)
        }
    }

    /// Any cut or changed text is read or refused, and neither hangs nor crashes.
    @Test func damagedTextsAreHarmless() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<3_000 {
            var bytes = JSONValue.random(depth: 3, using: &generator).utf8(sorted: false)
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0...min(2, bytes.count), using: &generator))
            if let value = try? JSONValue.parse(bytes) { #expect((try? JSONValue.parse(value.text)) != nil) }
        }
    }

    @Test func accessors() {
        let object: JSONValue = ["a": 1, "b": [true], "c": .null, "d": 2.0]
        #expect(object["a"]?.int == 1 && object["d"]?.int == 2 && object["a"]?.number == 1)
        #expect(object["b"]?.array?.first?.bool == true && object["c"]?.isNull == true && object["e"] == nil)
        #expect(JSONValue.double(1.5).int == nil && JSONValue.digits("12345678901234567890").number == 12_345_678_901_234_567_168)
        #expect(JSONValue.string("x")["a"] == nil && JSONValue.string("x").string == "x" && JSONValue.null.string == nil)
        let values: [JSONValue] = [.null, true, 1, "x", [], [:]]
        #expect(values.map(\.kindName) == ["null", "a truth value", "a number", "a string", "a list", "an object"])
    }
}

extension JSONValue {
    static func random(depth: Int, using generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0...(depth > 0 ? 7 : 5), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &generator))
        case 3:
            // A whole double is written as a whole number, which is read as an integer: equal in text, not in case.
            return .double(Double.random(in: -1...1, using: &generator) * 1e-3 + 1e-9)
        case 4:
            return .digits(
                (Bool.random(using: &generator) ? "-" : "") + "9"
                    + String(UInt64.random(in: 1_000_000_000_000_000_000 ... .max, using: &generator)))
        case 5: return .string(randomText(using: &generator))
        case 6: return .array((0..<Int.random(in: 0...4, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) })
        default:
            return .object(
                (0..<Int.random(in: 0...20, using: &generator)).map {
                    Member("\($0)" + randomText(using: &generator), random(depth: depth - 1, using: &generator))
                })
        }
    }

    private static func randomText(using generator: inout SeededGenerator) -> String {
        let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "\0", "\u{1f}", "\u{7f}", "é", "€", "😀", "\u{202e}", "\u{10FFFF}", "\u{FFFD}"]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...6, using: &generator) { text.append(scalars[Int.random(in: scalars.indices, using: &generator)]) }
        return String(text)
    }
}
