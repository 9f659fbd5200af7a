import AgentQueueModel
import Testing

@testable import AgentQueueDialects

/// Responses as chats, where the two differ most.
@Suite struct ResponsesTranslationTests {
    private func chat(_ text: String) throws -> JSONValue {
        .object(try ResponsesTranslation.chat(try #require(try JSONValue.parse(text).members)))
    }

    @Test func thoughtsOfEarlierTurnsAreLeftOut() throws {
        let chat = try chat(
            #"{"input":[{"role":"user","content":"a"},{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"x"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"b"}]}]}"#
        )
        #expect(chat["messages"]?.array?.map { $0["role"] } == ["user", "assistant"])
    }

    @Test func callsThatFollowAnAnswerAreItsCalls() throws {
        let chat = try chat(
            #"{"input":[{"type":"message","role":"assistant","content":"x"},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"custom_tool_call","call_id":"c2","name":"g","input":"ls"},{"type":"function_call_output","call_id":"c1","output":"1"},{"type":"custom_tool_call_output","call_id":"c2","output":"2"}]}"#
        )
        let messages = try #require(chat["messages"]?.array)
        #expect(messages.map { $0["role"] } == ["assistant", "tool", "tool"])
        let calls = messages[0]["tool_calls"]?.array
        #expect(calls?.first == ["id": "c1", "type": "function", "function": ["name": "f", "arguments": "{}"]])
        #expect(calls?.last == ["id": "c2", "type": "custom", "custom": ["name": "g", "input": "ls"]])
        #expect(messages.dropFirst().map { $0["tool_call_id"] } == ["c1", "c2"])
    }

    @Test func whatIsLostIsNotedForTheVendor() throws {
        let text = #"{"input":[{"type":"item_reference","id":"i"},{"role":"user","content":"x"}],"max_tool_calls":3}"#
        var translation = ResponsesTranslation(.noted)
        let chat = try translation.chat(try #require(try JSONValue.parse(text).members))
        #expect(translation.lost == ["input[0]", "max_tool_calls"] && !translation.isExact)
        #expect(JSONValue.object(chat) == ["messages": [["role": "user", "content": "x"]]])
    }
}
