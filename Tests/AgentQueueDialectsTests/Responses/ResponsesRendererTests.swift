import AgentQueueModel
import Testing

@testable import AgentQueueDialects

@Suite struct ResponsesRendererTests {
    private let answer = Answer(
        ModelReply(
            text: "Hellö", finishReason: "tool_calls", usage: Usage(inputTokens: 5, outputTokens: 2), model: "m",
            toolCalls: [["id": "call_1", "type": "function", "function": ["name": "f", "arguments": "{}"]]]))

    private var context: ReplyContext {
        var context = ReplyContext.sample()
        context.request = ["model": "asked", "instructions": "Be terse.", "previous_response_id": "resp_aq3", "store": false]
        return context
    }

    private func stream(after: Int? = nil) throws -> any StreamRenderer {
        var context = context
        context.startingAfter = after
        return try #require(ReplyRenderer.stream(.responses, context: context))
    }

    @Test func aReplyIsAResponse() throws {
        let value = try json(ReplyRenderer.body(of: answer, form: .responses, context: context))
        #expect(value["id"] == "resp_aq7" && value["object"] == "response" && value["status"] == "completed")
        #expect(value["instructions"] == "Be terse." && value["previous_response_id"] == "resp_aq3" && value["store"] == false)
        #expect(value["created_at"] == 1_795_330_000 && value["model"] == "m" && value["error"] == .null)
        #expect(
            value["output"]?.text
                == #"[{"type":"message","id":"msg_aq7_0","status":"completed","role":"assistant","content":[{"type":"output_text","#
                + #""text":"Hellö","annotations":[],"logprobs":[]}]},{"type":"function_call","id":"fc_aq7_1","call_id":"call_1","#
                + #""name":"f","arguments":"{}","status":"completed"}]"#)
        #expect(
            value["usage"]?.text
                == #"{"input_tokens":5,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":2,"#
                + #""output_tokens_details":{"reasoning_tokens":0},"total_tokens":7}"#)
    }

    @Test func anAnswerThatWasCutOffIsIncomplete() throws {
        let value = ResponsesReplyRenderer.body(of: Answer(ModelReply(text: "t", finishReason: "length")), context)
        #expect(value["status"] == "incomplete" && value["incomplete_details"] == ["reason": "max_output_tokens"])
        let refusal = try #require(Answer(.refused, message: "m", partialText: "No."))
        let content = ResponsesReplyRenderer.body(of: refusal, context)["output"]?.array?.first?["content"]
        #expect(content == [["type": "refusal", "refusal": "No."]])
    }

    @Test func aJobThatHasNotEndedIsAResponseToo() {
        #expect(ResponsesReplyRenderer.body(status: "queued", context)["status"] == "queued")
        let failed = ResponsesReplyRenderer.body(of: GatewayError(.timeout, "It took too long."), context)
        #expect(failed["status"] == "failed" && failed["error"] == ["code": "server_error", "message": "It took too long."])
    }

    private let events = [
        ReplyEvent.begin(model: "m", id: nil, native: nil), .text("Hel"), .text("lö"), .toolCall(index: 0, id: "call_1", name: "f"),
        .arguments(index: 0, "{}"),
    ]

    private func streamed(after: Int? = nil) throws -> [UInt8] {
        var stream = try stream(after: after)
        return events.reduce(into: []) { $0 += stream.render($1) } + stream.end(answer)
    }

    @Test func aStreamHasItsEventsInOrder() throws {
        let events = try StreamReading.events(try streamed())
        let values = try events.map { try JSONValue.parse($0.data) }
        #expect(values.map { $0["type"]?.string } == events.map(\.name))
        #expect(
            events.map(\.name) == [
                "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
                "response.output_text.delta", "response.output_text.delta", "response.output_text.done", "response.content_part.done",
                "response.output_item.done", "response.output_item.added", "response.function_call_arguments.delta",
                "response.function_call_arguments.done", "response.output_item.done", "response.completed",
            ])
        // Each event takes a place, each delta one for each of its bytes.
        #expect(values.map { $0["sequence_number"]?.int } == [0, 1, 2, 3, 6, 9, 10, 11, 12, 13, 15, 16, 17, 18])
        #expect(values[0]["response"]?["status"] == "in_progress" && values[0]["response"]?["output"] == [])
        let body = try json(ReplyRenderer.body(of: answer, form: .responses, context: context))
        #expect(values.last?["response"] == body)
        let done = values.filter { $0["type"] == "response.output_item.done" }.compactMap { $0["item"] }
        #expect(done == body["output"]?.array)
        let delta: JSONValue = [
            "type": "response.output_text.delta", "sequence_number": 6, "item_id": "msg_aq7_0", "output_index": 0, "content_index": 0,
            "delta": "Hel", "logprobs": [],
        ]
        #expect(values[4] == delta)
        let arguments: JSONValue = [
            "type": "response.function_call_arguments.done", "sequence_number": 16, "item_id": "fc_aq7_1", "output_index": 1,
            "arguments": "{}", "name": "f",
        ]
        #expect(values[11] == arguments)
    }

    /// Whatever a client has of a stream, the stored answer goes on where it stopped.
    @Test func aStreamGoesOnAfterAnyNumber() throws {
        let all = try StreamReading.values(try streamed())
        for (place, last) in all.enumerated() {
            let number = try #require(last["sequence_number"]?.int)
            var stored = try stream(after: number)
            for rest in [try StreamReading.values(stored.end(answer)), try StreamReading.values(try streamed(after: number))] {
                #expect(rest.allSatisfy { $0["sequence_number"]?.int ?? 0 > number })
                let texts = (all[...place] + rest).filter { $0["type"] == "response.output_text.delta" }
                #expect(texts.compactMap { $0["delta"]?.string }.joined() == "Hellö", "after \(number)")
                #expect(rest.isEmpty == (place == all.count - 1))
            }
        }
    }

    @Test func theFirstPingOpensTheResponse() throws {
        var stream = try stream()
        #expect(try StreamReading.events(stream.ping()).map(\.name) == ["response.created", "response.in_progress"])
        #expect(text(stream.ping()) == ": ping\n")
        #expect(stream.render(.begin(model: "m", id: nil, native: nil)).isEmpty)
    }

    @Test func aFailureIsTheLastEvent() throws {
        var stream = try stream()
        _ = stream.render(events[0]) + stream.render(events[1])
        let failed = try StreamReading.values(stream.failure(GatewayError(.upstream, "boom")))
        #expect(failed.map { $0["type"] } == ["response.failed"])
        #expect(failed[0]["response"]?["error"] == ["code": "server_error", "message": "boom"])
        var restarted = try self.stream()
        let error = try StreamReading.values(restarted.failure(GatewayError(.streamRestarted, "again")))
        #expect(error.last?["type"] == "error" && error.last?["code"] == "stream_restarted")
    }

    private var native: JSONValue {
        let thought: JSONValue = [
            "type": "reasoning", "id": "rs_1", "summary": [["type": "summary_text", "text": "why"]], "encrypted_content": "e",
        ]
        let citation: JSONValue = ["type": "url_citation", "url": "u"]
        let part: JSONValue = ["type": "output_text", "text": "Hi", "annotations": [citation], "logprobs": []]
        let message: JSONValue = [
            "type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part],
        ]
        let call: JSONValue = [
            "type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}", "status": "completed",
        ]
        return [
            "id": "resp_vendor", "object": "response", "status": "completed", "model": "gpt", "store": false, "background": false,
            "previous_response_id": .null, "output": [thought, message, call],
            "usage": ["input_tokens": 1, "output_tokens": 2, "total_tokens": 3],
        ]
    }

    @Test func theProvidersResponseHasOurID() throws {
        var reply = ModelReply("Hi")
        reply.native = NativeReply(form: .responses, body: native.text)
        let value = try json(ReplyRenderer.body(of: Answer(reply), form: .responses, context: context))
        #expect(value["id"] == "resp_aq7" && value["previous_response_id"] == "resp_aq3")
        #expect(value["output"] == native["output"] && value["usage"] == native["usage"])

        var stream = try stream()
        let values = try StreamReading.values(stream.end(Answer(reply)))
        #expect(values.last?["response"] == value)
        let done = values.filter { $0["type"] == "response.output_item.done" }.compactMap { $0["item"] }
        #expect(done == native["output"]?.array)
        #expect(values.contains { $0["type"] == "response.reasoning_summary_text.delta" && $0["delta"] == "why" })
        #expect(values.contains { $0["type"] == "response.output_text.annotation.added" })
        let numbers = values.compactMap { $0["sequence_number"]?.int }
        #expect(numbers.count == values.count && numbers == Array(Set(numbers)).sorted())
    }

    @Test func theProvidersEventsPassUnderOurNumbers() throws {
        var stream = try stream()
        _ = stream.render(.begin(model: "gpt", id: "resp_vendor", native: .responses))
        func pass(_ value: JSONValue) throws -> [JSONValue] {
            try StreamReading.values(stream.render(.native(event: value["type"]?.string, data: value.text)))
        }
        let created: JSONValue = ["type": "response.created", "sequence_number": 0, "response": native]
        #expect(try pass(created).map { $0["type"] } == ["response.created", "response.in_progress"])
        #expect(try pass(["type": "response.in_progress", "sequence_number": 1, "response": native]).isEmpty)
        let delta: JSONValue = ["type": "response.output_text.delta", "sequence_number": 2, "delta": "Hi", "obfuscation": "xyz"]
        #expect(try pass(delta) == [delta.setting("sequence_number", 3)])
        #expect(try pass(["type": "error", "message": "overloaded"]).isEmpty)
        #expect(try pass(["type": "response.completed", "sequence_number": 9, "response": native]).isEmpty)
        let end = try StreamReading.values(stream.end(Answer(ModelReply("Hi"))))
        #expect(end.map { $0["type"] } == ["response.completed"])
        #expect(end[0]["sequence_number"] == 4 && end[0]["response"]?["id"] == "resp_aq7")
        #expect(end[0]["response"]?["output"] == native["output"])
    }
}
