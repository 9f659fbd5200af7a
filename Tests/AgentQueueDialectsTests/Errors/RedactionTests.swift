import AgentQueueModel
import Testing

@testable import AgentQueueDialects

@Suite struct RedactionTests {
    let body: JSONValue = [
        "model": "gpt-x",
        "messages": [
            ["role": "system", "content": "Short one"],
            ["role": "user", "content": [["type": "text", "text": "The merger of Acme and Bolt is planned for the third of May."]]],
        ],
    ]

    @Test func keysWholeOrInPartAreMasked() {
        let redaction = Redaction(secrets: ["sk-proj-0123456789abcdef"])
        #expect(redaction.clean("key sk-proj-0123456789abcdef is wrong") == "key *** is wrong")
        #expect(redaction.clean("key ...3456789abcdef is wrong") == "key ...*** is wrong")
        #expect(redaction.clean("sk-proj-0123456789abcdefsk-proj-0123456789abcdef") == "***")
        #expect(Redaction(secrets: ["", "x"]).clean("axe") == "axe")
    }

    @Test func promptsWholeOrInPartAreMasked() {
        let redaction = Redaction(secrets: [], bodies: [body])
        #expect(redaction.clean("cannot do 'Short one' here") == "cannot do '***' here")
        #expect(redaction.clean("input: \"merger of Acme and Bolt is planned for\"...") == "input: \"***\"...")
        #expect(redaction.clean("role 'system' of model gpt-x is unknown") == "role 'system' of model gpt-x is unknown")
    }

    @Test func aMessageIsOneBoundedLine() {
        let redaction = Redaction(secrets: [])
        #expect(redaction.clean("  a\u{0}\u{1B}[31m\r\n\tb\u{202E}c ") == "a [31m b c")
        #expect(redaction.clean(String(repeating: "x", count: 9_000)).utf8.count == 500)
        #expect(redaction.clean(String(repeating: "👩‍👩‍👧", count: 100)).utf8.count <= 500)
        #expect(redaction.clean("") == "")
    }

    @Test func aLongPromptTakesNoLongTime() {
        let body: JSONValue = ["input": [.string(String(repeating: "abcdefgh ", count: 100_000))]]
        let start = ContinuousClock.now
        let message = "nothing of it here, only the word gh"
        #expect(Redaction(secrets: [], bodies: [body]).clean(message) == message)
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
