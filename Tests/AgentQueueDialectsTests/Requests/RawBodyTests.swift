import AgentQueueDialects
import AgentQueueModel
import AgentQueueTestSupport
import Testing

@Suite struct RawBodyTests {
    static let text = #"""
         { "model" : "a\"}b",  "temperature":1.50e0,
          "messages":[{"role":"user","content":"h\u00e9, {\"x\":[1,2]}"}], "big": 123456789012345678901234567890,
          "stream":false ,"last":{"a":[ ] } }
        """#

    @Test func aReplacedMemberLeavesAllOtherBytes() throws {
        let body = try RawBody(Self.text)
        #expect(body.text == Self.text)
        #expect(body.keys == ["model", "temperature", "messages", "big", "stream", "last"])
        let sent = body.replacing("model", with: "m").replacing("stream", with: true)
        #expect(
            sent.text
                == Self.text.replacing(#""a\"}b""#, with: #""m""#).replacing(#""stream":false"#, with: #""stream":true"#))
        #expect(try RawBody(sent.text) == sent)
    }

    @Test func aNewMemberComesLast() throws {
        #expect(try RawBody(#"{"a":1 }"#).replacing("b", with: [1]).text == #"{"a":1,"b":[1] }"#)
        #expect(try RawBody("{ }").replacing("b", with: 2).text == #"{"b":2 }"#)
        let both = try RawBody("{}").replacing("a", with: 1).replacing("b", with: 2).replacing("a", with: "long")
        #expect(both.text == #"{"a":"long","b":2}"#)
        #expect(try RawBody(both.text) == both)
    }

    @Test func aMemberIsRemovedWithItsComma() throws {
        let text = #"{"a":1, "b":2, "c":3}"#
        #expect(try RawBody(text).removing("a").text == #"{"b":2, "c":3}"#)
        #expect(try RawBody(text).removing("b").text == #"{"a":1, "c":3}"#)
        #expect(try RawBody(text).removing("c").text == #"{"a":1, "b":2}"#)
        #expect(try RawBody(text).removing("b").removing("c").removing("a").text == "{}")
        #expect(try RawBody(text).removing("d").text == text)
        let changed = try RawBody(text).removing("a").replacing("c", with: "x")
        #expect(try changed.text == #"{"b":2, "c":"x"}"# && RawBody(changed.text) == changed)
    }

    @Test func aNameIsReadAsItIsMeant() throws {
        let body = try RawBody(#"{"mod\u0065l":"x"}"#)
        #expect(body.replacing("model", with: "y").text == #"{"mod\u0065l":"y"}"#)
        #expect(throws: RequestError("the body has the member 'model' twice: leave one out", param: "model")) {
            try RawBody(#"{"model":"a","mod\u0065l":"b"}"#)
        }
    }

    @Test(arguments: ["", "[]", "1", #"{"a""#, #"{"a":"#, #"{"a":1"#, #"{"a":1,"#, #"{"a" 1}"#, #"{a:1}"#, #"{"a":"x}"#, #"{"a":[1}"#])
    func whatIsNoObjectIsRefused(text: String) {
        #expect(throws: RequestError.self) { try RawBody(text) }
    }

    /// A random value, with the characters that a reader could take for structure.
    private func value(_ depth: Int, _ random: inout SeededGenerator) -> JSONValue {
        let text = (0..<Int.random(in: 0..<6, using: &random)).map { _ in #"{}[],:"\ aé"#.randomElement(using: &random) ?? "a" }
        switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &random) {
        case 0: return .string(String(text))
        case 1: return .integer(Int64.random(in: -9...9, using: &random))
        case 2: return .bool(true)
        case 3: return .null
        case 4: return .array((0..<Int.random(in: 0..<4, using: &random)).map { _ in value(depth - 1, &random) })
        default: return object(depth - 1, &random)
        }
    }

    private func object(_ depth: Int, _ random: inout SeededGenerator) -> JSONValue {
        .object((0..<Int.random(in: 0..<5, using: &random)).map { .init("\($0)\"", value(depth, &random)) })
    }

    @Test func whatChangesIsWhatAReaderSees() throws {
        var random = SeededGenerator(seed: 15)
        for _ in 0..<500 {
            let before = object(3, &random)
            var body = try RawBody(before.text)
            var members = try #require(before.members)
            for _ in 0..<4 {
                let key = "\(Int.random(in: 0..<6, using: &random))\""
                let new = value(2, &random)
                if Bool.random(using: &random) {
                    body = body.removing(key)
                    members.removeAll { $0.key == key }
                } else {
                    body = body.replacing(key, with: new)
                    if let place = members.firstIndex(where: { $0.key == key }) {
                        members[place].value = new
                    } else {
                        members.append(.init(key, new))
                    }
                }
                #expect(try JSONValue.parse(body.text) == .object(members))
                #expect(try RawBody(body.text) == body)
            }
        }
    }
}
