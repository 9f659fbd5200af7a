import AgentQueueDialects
import AgentQueueModel
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
}
