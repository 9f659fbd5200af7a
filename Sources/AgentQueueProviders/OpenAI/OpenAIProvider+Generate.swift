import AgentQueueDialects
import AgentQueueModel

extension OpenAIProvider {
    /// Makes one chat completion. If the server refuses the form of the request, it is asked again in the form that it wants; if it refuses
    /// a schema in strict mode, once without. Such a refusal is free, and is remembered for the model.
    ///
    /// A client's own request is sent first as it came. What is asked again is written anew, unless only the client's form can say it.
    func generate(
        _ request: ModelRequest, _ limit: CallLimit, _ idempotencyKey: String?, _ onEvent: (@Sendable (ReplyEvent) -> Void)?
    ) async -> Outcome {
        let model = request.target.model
        if capabilities.forms.contains(.responses), let native = request.native(for: .responses) {
            return await send(native, of: request, usesResponses: true, limit, idempotencyKey, onEvent)
        }
        var form = quirks.chatForm(of: model) ?? ChatForm(usesResponses: api == .responses)
        var native = form.usesResponses ? nil : request.native(for: .chat)
        var chat: ChatRequest
        do throws(ModelFailure) {
            chat = try ChatRequest(request, refused: quirks.refusedSchemas(of: model))
        } catch {
            guard let native else { return .failure(error) }
            // What cannot be written anew is for the server to judge.
            return await send(native, of: request, usesResponses: false, limit, idempotencyKey, onEvent)
        }
        if let own = native, !own.isRequired, Self.isRefused(request, chat, form) { native = nil }
        var refusedSchema: JSONValue?
        var isChanged = false
        var attempt = 1
        while true {
            // The body differs from that of the first attempt, so the key must too.
            let key = attempt == 1 ? idempotencyKey : idempotencyKey.map { $0.isEmpty ? $0 : "\($0)-form\(attempt)" }
            let body: JSONValue
            let sent: NativeCall?
            do throws(ModelFailure) {
                body = try self.body(of: chat, form, streams: onEvent != nil)
                sent = try native.map { native throws(ModelFailure) in try NativeCall(native, model: model) }
            } catch {
                return .failure(error)
            }
            do throws(CallFailure) {
                let bytes = sent?.bytes(streams: onEvent != nil, countsStream: form.hasStreamOptions)
                let reply = try await ask(body, bytes, of: request, usesResponses: form.usesResponses, limit, key, onEvent)
                if isChanged { quirks.remember(form, for: model) }
                if let refusedSchema { quirks.rememberRefusal(of: refusedSchema, for: model) }
                return .reply(reply)
            } catch {
                if native?.isRequired == true { return .failure(error.failure) }
                native = nil
                // Each change is made at most once, so this ends.
                if let next = form.changed(after: error, to: body, api: api) {
                    form = next
                    isChanged = true
                    attempt += 1
                    continue
                }
                if let schema = chat.strictSchema, error.refusesSchema {
                    refusedSchema = schema
                    chat.relax()
                    attempt += 1
                    continue
                }
                // A request that is refused in the other form too says nothing about the form.
                if error.failure.failure != .permanent {
                    if isChanged { quirks.remember(form, for: model) }
                    if let refusedSchema { quirks.rememberRefusal(of: refusedSchema, for: model) }
                }
                return .failure(error.failure)
            }
        }
    }

    /// Whether the server is known to refuse what the client wrote: the name of the limit, or its schema in strict mode.
    static func isRefused(_ request: ModelRequest, _ chat: ChatRequest, _ form: ChatForm) -> Bool {
        if form.hasCompletionLimit, chat["max_tokens"] != nil { return true }
        return chat.strictSchema == nil && request.body["response_format"]?["json_schema"]?["strict"] == true
    }

    private func body(of chat: ChatRequest, _ form: ChatForm, streams: Bool) throws(ModelFailure) -> JSONValue {
        form.usesResponses ? try ResponsesRequest(chat).body(streams: streams) : chat.body(form, streams: streams)
    }

    /// Sends a client's own request as it came, and in no other form.
    private func send(
        _ native: NativeRequest, of request: ModelRequest, usesResponses: Bool, _ limit: CallLimit, _ idempotencyKey: String?,
        _ onEvent: (@Sendable (ReplyEvent) -> Void)?
    ) async -> Outcome {
        let bytes: [UInt8]
        do throws(ModelFailure) {
            bytes = try NativeCall(native, model: request.target.model).bytes(streams: onEvent != nil, countsStream: !usesResponses)
        } catch {
            return .failure(error)
        }
        do throws(CallFailure) {
            return .reply(
                try await ask(request.body, bytes, of: request, usesResponses: usesResponses, limit, idempotencyKey, onEvent))
        } catch {
            return .failure(error.failure)
        }
    }

    private func ask(
        _ body: JSONValue, _ native: [UInt8]?, of request: ModelRequest, usesResponses: Bool, _ limit: CallLimit,
        _ idempotencyKey: String?, _ onEvent: (@Sendable (ReplyEvent) -> Void)?
    ) async throws(CallFailure) -> ModelReply {
        let form: RequestForm = usesResponses ? .responses : .chat
        let kept = KeptAnswer(request, form: form)
        let stream = onEvent.map { onEvent in
            let assembler: any EventAssembler = usesResponses ? ResponsesStream() : ChatStream(keepsNative: kept?.keepsReply == true)
            return StreamedAnswer(assembler, native: kept?.events, onEvent: onEvent)
        }
        let path = usesResponses ? "/responses" : "/chat/completions"
        let answer = try await call(
            path, body, of: request.body, limit, idempotencyKey, stream: stream, native: native, kept: kept)
        do throws(ModelFailure) {
            var reply = try OpenAIReply.chat(
                usesResponses ? ResponsesReply.chat(answer.body) : answer.body, requestID: answer.requestID)
            reply.limits = answer.limits
            reply.native = answer.native.map { NativeReply(form: form, body: $0) }
            return reply
        } catch {
            var failure = failure(error, of: answer, to: request.body)
            failure.answer = kept?.refusal(error, native: answer.native)
            throw CallFailure(failure)
        }
    }
}
