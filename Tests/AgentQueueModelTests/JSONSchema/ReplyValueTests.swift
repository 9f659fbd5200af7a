import AgentQueueModel
import Testing

/// Where the value is in a reply that was asked for JSON.
@Suite struct ReplyValueTests {
    private static let json = #"{"n": 1.0}"#

    @Test(
        arguments: [
            json, "  \(json)\n", "```json\n\(json)\n```", "```\n\(json)\n```\n", "\n```JSON\r\n  \(json)  ```", "\u{FEFF}\(json)",
        ])
    func aBareValueIsTheReply(_ text: String) throws {
        let value = try ReplyValue(in: text)
        #expect(value.json == ["n": 1.0] && value.text == Self.json && !value.hasMore)
    }

    @Test(
        arguments: [
            "<think>\nBorn {1749}?\n</think>\n\n\(json)", "Born {1749}?\n</think>\n\(json)", "<think></think>\(json)",
            "<think>\na</think>\n```json\n\(json)\n```", "<thinking>x</thinking>\(json)", "[THINK]x[/THINK]\(json)",
            "◁think▷x◁/think▷\(json)",
            "<think>I close it with </think> below.</think>\(json)",
            "<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>\(json)",
            "Here it is:\n\n```json\n\(json)\n```\nAnything else?", "Here it is:\n\n~~~\n\(json)\n~~~",
            "So:\n  ```json\n  \(json)```\nDone.",
            "```json\n\(json)\n```\n\nThat is all.",
            // The same value twice leaves no doubt, and code in another language is no answer.
            "```json\n\(json)\n```\nor\n```\n{\"n\":1}\n```", "```python\nprint(1)\n```\ngives\n```json\n\(json)\n```",
            // What is drafted in the thinking does not count.
            "<think>```json\n{\"n\": 2}\n```</think>\nIt is:\n```json\n\(json)\n```",
        ])
    func whatStandsAroundItIsNotTheValue(_ text: String) throws {
        let value = try ReplyValue(in: text)
        #expect(value.json == ["n": 1.0] && value.text == Self.json && value.hasMore)
    }

    @Test(
        arguments: [
            ("", "the answer is empty"), ("```json\n```", "the answer is empty"),
            ("Sure: {\"n\": 1}", "the answer is not valid JSON at byte 1: unexpected byte 0x53"),
            ("```json\n{\"n\": 1}\n```\nor\n```json\n{\"n\": 2}\n```", "the answer holds several blocks with different JSON"),
            (
                "So:\n```json\n{\"n\": \n```\nand\n```json\n{\"n\": 2}\n```",
                "the answer holds a JSON block that is not valid JSON at byte 6: it ends too early"
            ),
            ("<think>```json\n{\"n\": 1}\n```", "the answer ends before the thinking in it does"),
            ("<think>```json\n{\"n\": 1}\n```</think> No.", "the answer is not valid JSON at byte 1: unexpected byte 0x3c"),
            ("So:\n```json\n{\"n\": 1}", "the answer is not valid JSON at byte 1: unexpected byte 0x53"),
        ])
    func withoutOneCertainValueItIsInvalid(_ text: String, _ sentence: String) {
        let error = #expect(throws: ReplyValueError.self) { try ReplyValue(in: text) }
        #expect(error?.description == sentence)
    }

    @Test func aMarkInsideTheValueIsPartOfIt() throws {
        let text = #"{"n": "</think> {}"}"#
        #expect(try ReplyValue(in: text).json == ["n": "</think> {}"])
        #expect(try ReplyValue(in: "<think>x</think>\(text)").json == ["n": "</think> {}"])
    }
}
