import AgentQueueDialects
import AgentQueueModel
import Testing

/// What a client makes of a stream: its events, and the answer that they assemble to.
enum StreamReading {
    static func events(_ bytes: [UInt8]) throws -> [ServerSentEvent] {
        var parser = ServerSentEventParser()
        return try parser.feed(bytes) + parser.finish()
    }

    /// The events' data as JSON, without the mark of the end.
    static func values(_ bytes: [UInt8]) throws -> [JSONValue] {
        try events(bytes).filter { $0.data != "[DONE]" }.map { try JSONValue.parse($0.data) }
    }

    /// The reply that a client reads from a stream; nil if the stream is not whole.
    static func reply(_ bytes: [UInt8], form: RequestForm) throws -> ModelReply? {
        switch form {
        case .chat:
            var stream = ChatStream()
            for event in try events(bytes) { _ = stream.take(event) }
            #expect(stream.unreadable == nil)
            return try stream.body.map { try OpenAIReply.chat($0, requestID: "r") }
        case .messages:
            var stream = AnthropicStream()
            for event in try events(bytes) { _ = try stream.take(event) }
            guard stream.isComplete else { return nil }
            return try AnthropicReply.message(stream.body, usage: stream.usage.usage, requestID: "r")
        case .responses:
            var stream = ResponsesStream()
            for event in try events(bytes) { _ = stream.take(event) }
            return try stream.body.map { try OpenAIReply.chat(try ResponsesReply.chat($0), requestID: "r") }
        case .embeddings: return nil
        }
    }

    /// The reply that a client reads from a body.
    static func reply(body: [UInt8], form: RequestForm) throws -> ModelReply {
        let value = try JSONValue.parse(String(decoding: body, as: UTF8.self))
        switch form {
        case .messages: return try AnthropicReply.message(value, requestID: "r")
        case .responses: return try OpenAIReply.chat(try ResponsesReply.chat(value), requestID: "r")
        default: return try OpenAIReply.chat(value, requestID: "r")
        }
    }
}

extension ReplyContext {
    static func sample(includesUsage: Bool = false) -> ReplyContext {
        var context = ReplyContext(job: 7, model: "asked", created: 1_795_330_000, requestID: "req_1")
        context.includesUsage = includesUsage
        return context
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func json(_ bytes: [UInt8]) throws -> JSONValue { try JSONValue.parse(text(bytes)) }
