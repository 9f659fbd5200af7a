import AgentQueueDialects
import AgentQueueModel

extension OpenAIProvider {
    /// Makes one chat completion. If the server refuses the form of the request, it is asked again in the form that it wants; if it refuses
    /// a schema in strict mode, once without. Such a refusal is free, and is remembered for the model.
    func generate(
        _ request: ModelRequest, _ limit: CallLimit, _ idempotencyKey: String?, _ onText: (@Sendable (String) -> Void)?
    ) async -> Outcome {
        let model = request.target.model
        var chat: ChatRequest
        do throws(ModelFailure) {
            chat = try ChatRequest(request, refused: quirks.refusedSchemas(of: model))
        } catch {
            return .failure(error)
        }
        var refusedSchema: JSONValue?
        var form = quirks.chatForm(of: model) ?? ChatForm(usesResponses: api == .responses)
        var isChanged = false
        var attempt = 1
        while true {
            // The body differs from that of the first attempt, so the key must too.
            let key = attempt == 1 ? idempotencyKey : idempotencyKey.map { $0.isEmpty ? $0 : "\($0)-form\(attempt)" }
            let body: JSONValue
            do throws(ModelFailure) {
                body = try self.body(of: chat, form, streams: onText != nil)
            } catch {
                return .failure(error)
            }
            do throws(CallFailure) {
                let reply = try await ask(body, of: request, form, limit, key, onText)
                if isChanged { quirks.remember(form, for: model) }
                if let refusedSchema { quirks.rememberRefusal(of: refusedSchema, for: model) }
                return .reply(reply)
            } catch {
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

    private func body(of chat: ChatRequest, _ form: ChatForm, streams: Bool) throws(ModelFailure) -> JSONValue {
        form.usesResponses ? try ResponsesRequest(chat).body(streams: streams) : chat.body(form, streams: streams)
    }

    private func ask(
        _ body: JSONValue, of request: ModelRequest, _ form: ChatForm, _ limit: CallLimit, _ idempotencyKey: String?,
        _ onText: (@Sendable (String) -> Void)?
    ) async throws(CallFailure) -> ModelReply {
        let assembler: any EventAssembler = form.usesResponses ? ResponsesStream() : ChatStream()
        let stream = onText.map { StreamedAnswer(assembler, onText: $0) }
        let path = form.usesResponses ? "/responses" : "/chat/completions"
        let answer = try await call(path, body, of: request.body, limit, idempotencyKey, stream: stream)
        do throws(ModelFailure) {
            var reply = try OpenAIReply.chat(
                form.usesResponses ? ResponsesReply.chat(answer.body) : answer.body, requestID: answer.requestID)
            reply.limits = answer.limits
            return reply
        } catch {
            throw CallFailure(failure(error, of: answer, to: request.body))
        }
    }
}
