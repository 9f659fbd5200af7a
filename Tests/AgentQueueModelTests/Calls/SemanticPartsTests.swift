import AgentQueueModel
import Testing

@Suite struct SemanticPartsTests {
    private func parts(
        _ body: String, kind: JobKind = .generate, target: String = "local/m", identity: String = "openai http://127.0.0.1:8080"
    ) throws -> (context: [UInt8], text: String)? {
        let target = try #require(Target(target))
        return ModelRequest(kind: kind, target: target, body: try JSONValue.parse(body)).semanticParts(identity: identity)
    }

    private let base = #"{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"hi"}],"temperature":0.5}"#

    @Test(arguments: [
        (#"{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"good day"}],"temperature":0.5}"#, "good day"),
        (#"{"temperature":5e-1,"messages":[{"content":"Be terse.","role":"system"},{"content":" hi","role":"user"}]}"#, " hi"),
        (
            #"{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"?"}],"temperature":0.5,"stream":true,"user":"u"}"#,
            "?"
        ),
    ])
    func theTextAloneMakesNoDifference(_ body: String, _ text: String) throws {
        let found = try #require(try parts(body))
        #expect(found.text == text)
        #expect(try found.context == parts(base)?.context)
        #expect(found.context.count == 32)
    }

    @Test(arguments: [
        #"{"messages":[{"role":"system","content":"Be wordy."},{"role":"user","content":"hi"}],"temperature":0.5}"#,
        #"{"messages":[{"role":"user","content":"hi"}],"temperature":0.5}"#,
        #"{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"hi"}],"temperature":0.6}"#,
        #"{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"hi"}],"temperature":0.5,"sample":1}"#,
        #"{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"hi"}],"temperature":0.5,"seed":1}"#,
        #"{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"hi","name":"ada"}],"temperature":0.5}"#,
        #"{"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"a"},{"role":"user","content":"hi"}],"temperature":0.5}"#,
        #"""
        {"messages":[{"role":"system","content":"Be terse."},{"role":"user","content":"hi"}],"temperature":0.5,
        "response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}}}
        """#,
    ])
    func allElseMakesADifference(_ body: String) throws {
        let found = try #require(try parts(body))
        #expect(found.text == "hi")
        #expect(try found.context != parts(base)?.context)
    }

    @Test func whoAnswersMakesADifference() throws {
        let context = try parts(base)?.context
        #expect(try parts(base, target: "local/n")?.context != context)
        #expect(try parts(base, target: "other/m")?.context != context)
        #expect(try parts(base, identity: "anthropic https://api.anthropic.com")?.context != context)
        #expect(try parts(base)?.context == context)
    }

    @Test(arguments: [
        "{}", #"{"messages":[]}"#, #"{"messages":[{"role":"assistant","content":"hi"}]}"#,
        #"{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"Well"}]}"#,
        #"{"messages":[{"role":"user","content":" \n\t"}]}"#, #"{"messages":[{"role":"user","content":null}]}"#,
        #"{"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}"#,
        #"{"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function"}]}"#,
        #"{"messages":[{"role":"user","content":"hi"}],"tool_choice":"auto"}"#,
        #"{"messages":[{"role":"user","content":"hi"}],"functions":[]}"#, #"{"messages":"hi"}"#, "[]",
    ])
    func nearnessSaysNothingOf(_ body: String) throws {
        #expect(try parts(body) == nil)
    }

    @Test func onlyOfWhatGenerates() throws {
        #expect(try parts(base, kind: .embed) == nil)
        #expect(try parts(base, kind: .memorize) == nil)
    }
}
