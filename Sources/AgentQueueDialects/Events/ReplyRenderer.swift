import AgentQueueModel

/// What a client is answered: the model's reply, or its refusal, which is no error.
package struct Answer: Sendable, Equatable {
    package var reply: ModelReply
    /// The words of a model that declined.
    package var refusal: String?

    package init(_ reply: ModelReply) {
        self.reply = reply
    }

    /// The answer of a job that ended because the model declined; nil if it failed for another reason.
    /// - Parameters:
    ///   - answer: the provider's own, if it is kept.
    ///   - usage: the tokens that it counted.
    package init?(
        _ failure: FailureClass, message: String, partialText: String?, answer: ErrorAnswer? = nil, usage: Usage = Usage(),
        model: String? = nil
    ) {
        guard failure == .refused else { return nil }
        reply = ModelReply(finishReason: "content_filter", usage: usage, model: model)
        refusal = partialText ?? message
        if let answer, (200..<300).contains(answer.status), let form = answer.form {
            reply.native = NativeReply(form: form, body: answer.body)
        }
    }

    struct ToolCall: Sendable, Equatable {
        var id: String
        var name: String
        /// JSON, unless the answer was cut off.
        var arguments: String
    }

    /// The calls of functions. (What else a reply calls has no counterpart in another dialect.)
    var toolCalls: [ToolCall] {
        (reply.toolCalls?.array ?? []).enumerated().compactMap { place, call in
            let function = call["function"] ?? call["custom"]
            guard let function, let name = function["name"]?.string else { return nil }
            let arguments = function["arguments"] ?? function["input"]
            return ToolCall(
                id: call["id"]?.string ?? "call_\(place)", name: name, arguments: arguments?.string ?? arguments?.text ?? "")
        }
    }

    /// The reply as it came, if it is of this form.
    func native(_ form: RequestForm) -> String? {
        guard let native = reply.native, native.form == form else { return nil }
        return native.body
    }
}

/// What an answer says beside the reply.
package struct ReplyContext: Sendable {
    /// The job, which the ids of an answer are made of; of several samples the first.
    package var job: Int64
    /// The id of a response, by which the client asks for it again; nil for one made of the job.
    package var responseID: String?
    /// The model that was asked, for a provider that does not name its own.
    package var model: String
    /// When the answer was made, in seconds since 1970.
    package var created: Int64
    package var requestID: String
    /// How many answers one request has.
    package var samples = 1
    /// Whether a stream of chat chunks ends with the tokens.
    package var includesUsage = false
    /// How vectors are written.
    package var isBase64 = false
    /// The client's request, which a response repeats in part.
    package var request: JSONValue?
    /// The sequence number of the last event of a response that the client has.
    package var startingAfter: Int?

    package init(job: Int64, model: String, created: Int64, requestID: String) {
        self.job = job
        self.model = model
        self.created = created
        self.requestID = requestID
    }
}

/// Writes answers in the form that their clients asked in.
package enum ReplyRenderer {
    /// The body of an answer that is not streamed.
    package static func body(of answer: Answer, form: RequestForm, context: ReplyContext) -> [UInt8] {
        body(of: [answer], form: form, context: context)
    }

    /// The body of an answer with several samples, which only chat completions have: a choice for each.
    package static func body(of answers: [Answer], form: RequestForm, context: ReplyContext) -> [UInt8] {
        guard let answer = answers.first else { return [] }
        switch form {
        case .chat: return ChatReplyRenderer.body(of: answers, context)
        case .messages: return MessagesReplyRenderer.body(of: answer, context)
        case .responses: return ResponsesReplyRenderer.body(of: answer, context).utf8(sorted: false)
        case .embeddings: return EmbeddingsReplyRenderer.body(of: answer.reply, context)
        }
    }

    /// A renderer for one client's stream; nil for embeddings, which have none.
    package static func stream(_ form: RequestForm, context: ReplyContext) -> (any StreamRenderer)? {
        switch form {
        case .chat: ChatStreamRenderer(context)
        case .messages: MessagesStreamRenderer(context)
        case .responses: ResponsesStreamRenderer(context)
        case .embeddings: nil
        }
    }

    /// The answer to a count of tokens.
    package static func tokenCount(_ tokens: Int) -> JSONValue { ["input_tokens": .integer(Int64(tokens))] }
}

/// Writes the events of answers as one client's stream.
///
/// What ends a stream is held back until ``end(_:sample:)``, which is called once the reply is committed: a client that saw the end has a
/// stored result.
package protocol StreamRenderer: Sendable {
    /// The bytes of the next event; empty if the client is to see nothing of it yet.
    mutating func render(_ event: ReplyEvent, sample: Int) -> [UInt8]
    /// The end, with all of the answer that has not gone out. For an answer from the cache, or of a job that has ended, this is all of it.
    mutating func end(_ answer: Answer, sample: Int) -> [UInt8]
    /// What keeps a connection open while there is nothing to say.
    /// - Parameter asChunk: whether it is a piece without content and not a comment, for strict clients.
    mutating func ping(asChunk: Bool) -> [UInt8]
    /// The end of a stream without an answer.
    mutating func failure(_ error: GatewayError) -> [UInt8]
}

extension StreamRenderer {
    package mutating func render(_ event: ReplyEvent) -> [UInt8] { render(event, sample: 0) }

    package mutating func end(_ answer: Answer) -> [UInt8] { end(answer, sample: 0) }

    package mutating func ping() -> [UInt8] { ping(asChunk: false) }
}
