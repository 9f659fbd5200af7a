import AgentQueueModel
import AgentQueueTestSupport
import Testing

/// What servers write is read where nothing of its texts can be lost.
@Suite struct LenientJSONTests {
    @Test(
        arguments: [
            // Numbers that JSON cannot write.
            ("[NaN,-NaN,nan,Infinity,-Infinity,+Infinity,inf,-inf]", .array(Array(repeating: .null, count: 8))),
            ("{\"logprob\":-Infinity,\"token\":\"never\"}", ["logprob": .null, "token": "never"]),
            ("[1e999,-1e999,1e99999999999999999999,1]", [.null, .null, .null, 1]), ("[01,1.,-,1e+,2]", [.null, .null, .null, .null, 2]),
            ("[1e-400,null,-1.5]", [0.0, .null, -1.5]),
            // A key twice.
            ("{\"a\":1,\"b\":2,\"a\":3}", ["a": 3, "b": 2]), ("{\"a\":\"text\",\"a\":null}", ["a": "text"]),
            ("{\"a\":\"text\",\"a\":\"\"}", ["a": "text"]), ("{\"a\":null,\"\\u0061\":1}", ["a": 1]),
            ("{\"\u{E9}\":1,\"e\u{301}\":2}", ["\u{E9}": 1, "e\u{301}": 2]),
            // Marks, commas, and what stands in strings.
            ("\u{FEFF}{\"a\":1}", ["a": 1]), ("\u{FEFF} [1]", [1]), ("[1,]", [1]), ("{\"a\":[],}", ["a": []]),
            ("\"a\nb\u{1}\tc\"", "a\nb\u{1}\tc"),
            ("\"\\\\n\\x\\(y\\) \\u12 \\uZZZZ\\\"\"", "\\n\\x\\(y\\) \\u12 \\uZZZZ\""),
            // Halves of surrogate pairs.
            ("\"\\ud83d\\ude00\"", "😀"), ("\"a\\ud83d\"", "a\u{FFFD}"), ("\"\\ude00 b\"", "\u{FFFD} b"),
            ("\"\\ud83d\\ud83d\\ude00\"", "\u{FFFD}😀"), ("\"\\ud83d\\n\\ude00\\u0041\"", "\u{FFFD}\n\u{FFFD}A"),
            ("{\"\\ud83d\":\"\\\\ud83d\"}", ["\u{FFFD}": "\\ud83d"]),
        ] as [(String, JSONValue)])
    func isReadLeniently(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue.parseLeniently(text) == value)
        #expect(try JSONValue.parseLeniently(Array(text.utf8)) == value)
        #expect(try JSONPiece(text).value == value)
    }

    @Test(arguments: [
        "", "\u{FEFF}", "{", "{\"a\":\"cut", "{\"a\":\"cut\\", "{\"a\":\"cut\"", "{\"a\":\"cut\",", "[1", "[1,", "nul", "Nap", "-x",
        "{\"a\" 1}",
        "{a:1}", "'a'", "{} {}", "{}x", "[,]", "{,}", "{\"a\":}",
    ])
    func whatMayLoseTextIsRefused(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue.parseLeniently(text) }
        #expect(throws: JSONError.self) { try JSONPiece(text) }
    }

    @Test func bytesThatAreNotUTF8AreRepaired() throws {
        #expect(try JSONValue.parseLeniently(Array("\"a".utf8) + [0xFF] + Array("b\"".utf8)) == "a\u{FFFD}b")
        #expect(try JSONValue.parseLeniently(Array("\"\\n".utf8) + [0xE2, 0x82] + Array("b\"".utf8)) == "\n\u{FFFD}b")
    }

    @Test func manyKeysTwiceTakeNoTime() throws {
        let members = (0..<100_000).map { "\"k\($0 % 50_000)\":\($0)" }.joined(separator: ",")
        let object = try JSONValue.parseLeniently("{\(members)}")
        #expect(object.members?.count == 50_000)
        #expect(object["k7"] == 50_007)
    }

    @Test func depthIsBoundedAsEver() {
        #expect(throws: JSONError.self) { try JSONValue.parseLeniently(String(repeating: "[", count: 100_000)) }
    }

    /// What is strict JSON is read alike.
    @Test func strictTextsAreReadAlike() throws {
        for text in [
            "{\"a\":[1,2.5,-3e2,12345678901234567890,true,false,null,\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9😀\"],\"b\":{}}", " [ ] ",
            "\"\\u0000\"",
        ] {
            #expect(try JSONValue.parseLeniently(text) == JSONValue.parse(text))
        }
    }

    /// Any cut or changed text is read or refused, and what is read can be written.
    @Test func damagedTextsAreHarmless() {
        var generator = SeededGenerator(seed: 23)
        let good = Array(
            #"{"choices":[{"delta":{"content":"Well \ud83d\ude00 done","n":-Infinity,"a":[1e5,NaN]},"finish_reason":null}]}"#.utf8)
        for _ in 0..<5_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0...3, using: &generator))
            guard let value = try? JSONValue.parseLeniently(bytes) else { continue }
            #expect((try? JSONValue.parse(value.text))?.text == value.text)
        }
    }
}

@Suite struct JoinedTextTests {
    private func joined(_ pieces: [String]) throws -> (text: String, told: [String]) {
        var text = JoinedText()
        var told: [String] = []
        for piece in pieces {
            let read = try JSONPiece("\"\(piece)\"")
            told.append(text.append(read.unjoined.string ?? "", hasHalves: read.hasHalves))
        }
        return (text.text, told)
    }

    @Test(
        arguments: [
            (["Well done \\ud83d", "\\ude00 bye"], "Well done 😀 bye", ["Well done ", "😀 bye"]),
            (["\\ud83d", "", "\\ude00"], "😀", ["", "", "😀"]), (["a\\ud83d", "b"], "a\u{FFFD}b", ["a", "\u{FFFD}b"]),
            (["a\\ud83d"], "a\u{FFFD}", ["a"]), (["\\ude00a"], "\u{FFFD}a", ["\u{FFFD}a"]),
            (["\\ud83d", "\\ud83d", "\\ude00"], "\u{FFFD}😀", ["", "\u{FFFD}", "😀"]),
            (["\\ud83d\\ude00\\ud83d", "\\ude00\\ud83d", "\\ude00"], "😀😀😀", ["😀", "😀", "😀"]),
            // Characters of the private use area that stand for nothing.
            (["\u{10D83D}", "\u{10DE00}"], "\u{10D83D}\u{10DE00}", ["\u{10D83D}", "\u{10DE00}"]),
        ] as [([String], String, [String])])
    func halvesAreJoined(_ pieces: [String], _ text: String, _ told: [String]) throws {
        let result = try joined(pieces)
        #expect(result.text == text)
        #expect(result.told == told)
    }

    @Test func halvesElsewhereAreReplaced() throws {
        let piece = try JSONPiece(#"{"\ud83d":["a\ude00",{"b":"c"}]}"#)
        #expect(piece.hasHalves)
        #expect(piece.value == ["\u{FFFD}": ["a\u{FFFD}", ["b": "c"]]])
        #expect(try JSONPiece(#""😀""#).hasHalves == false)
    }
}
