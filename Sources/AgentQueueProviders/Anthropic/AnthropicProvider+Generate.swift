import AgentQueueDialects
import AgentQueueModel

extension AnthropicProvider {
    /// Longer answers are streamed: connections may be closed before a plain one has been made.
    static let maxPlainTokens = 20_000
    /// How long a stream may stay open after its last event before it is closed.
    private static let patience = Duration.seconds(1)

    /// Answers one request. If the server refuses the schema of its answer, it is asked once more, with the schema in words. Such a refusal
    /// is free, and is remembered for the model.
    func generate(_ request: ModelRequest, _ limit: CallLimit, _ options: CallOptions) async -> Outcome {
        if let native = request.native(for: .messages) {
            do throws(ModelFailure) {
                return await generate(try AnthropicRequest(native, model: request.target.model), limit, options)
            } catch {
                return .failure(error)
            }
        }
        var refused = quirks.refusedSchemas(of: request.target.model)
        do throws(ModelFailure) {
            let first = try translated(request, refused)
            let outcome = await generate(first, limit, options)
            guard let schema = first.schema, Self.refusesSchema(outcome) else { return outcome }
            refused.add(schema)
            var options = options
            // The body differs from that of the first call, so the key must too.
            if !options.idempotencyKey.isEmpty { options.idempotencyKey += "-schema" }
            let again = await generate(try translated(request, refused), limit, options)
            if case .reply = again { quirks.rememberRefusal(of: schema, for: request.target.model) }
            return again
        } catch {
            return .failure(error)
        }
    }

    private func translated(_ request: ModelRequest, _ refused: RefusedSchemas) throws(ModelFailure) -> AnthropicRequest {
        try AnthropicRequest(request, maxOutputTokens: maxOutputTokens, promptCache: promptCache, refused: refused)
    }

    /// Whether the server refuses a request for its schema. Anthropic's errors name the member only in words.
    private static func refusesSchema(_ outcome: Outcome) -> Bool {
        guard case .failure(let failure) = outcome, failure.failure == .permanent, failure.wasSent else { return false }
        let words = failure.message.lowercased()
        return words.contains("schema") || words.contains("output_config") || words.contains("output_format")
    }

    private func generate(_ translated: AnthropicRequest, _ limit: CallLimit, _ options: CallOptions) async -> Outcome {
        guard let prefix = PromptPrefix(translated.body) else { return await send(translated, limit, options, pass: nil) }
        guard let pass = await prefixes.pass(at: prefix, until: .now + (limit.deadline - .now) / 2) else {
            return .failure(cancelled(limit))
        }
        let outcome = await send(translated, limit, options, pass: pass)
        if case .reply = outcome { prefixes.end(pass, answered: true) } else { prefixes.end(pass, answered: false) }
        return outcome
    }

    private func send(
        _ request: AnthropicRequest, _ limit: CallLimit, _ options: CallOptions, pass: PromptPrefixGate.Pass?
    ) async -> Outcome {
        // A request for no tokens only warms the cache, and the API does not stream it.
        let streams =
            request.maxTokens > 0
            && (options.onEvent != nil || request.maxTokens > Self.maxPlainTokens || pass?.leads == true)
        do throws(ModelFailure) {
            guard streams else {
                let call = try call("/messages", request, limit, options.idempotencyKey)
                return .reply(try reply(try await connection.exchange(call, limit), to: request))
            }
            return .reply(try await streamed(request, limit, options) { if let pass { prefixes.begin(pass) } })
        } catch {
            return .failure(error)
        }
    }

    private func streamed(
        _ request: AnthropicRequest, _ limit: CallLimit, _ options: CallOptions, onBegin: @escaping @Sendable () -> Void
    ) async throws(ModelFailure) -> ModelReply {
        let reader = AnthropicStreamReader(
            native: request.clientForm == .messages ? .messages : nil, onBegin: onBegin, onEvent: options.onEvent)
        let call = try call("/messages", request, limit, options.idempotencyKey, streams: true)
        let result = await withTaskGroup(of: Result<HTTPAnswer, HTTPFailure>?.self) { group in
            group.addTask {
                await connection.transport.receive(
                    call, before: limit.deadline, limits: connection.streams, onPart: { reader.take($0) }, onHead: { reader.take(head: $0) }
                )
            }
            group.addTask {
                await reader.waitUntilOver()
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            var result = await group.next() ?? nil
            group.cancelAll()
            for await other in group { result = result ?? other }
            return result ?? .failure(.cancelled(hasBegun: true))
        }
        let (head, stream, problem) = reader.finish()
        if let head { return try reply(head, stream, problem, result, request, limit) }
        switch result {
        case .success(let answer):
            let reply = try reply(answer, to: request)
            // A client of this form gets the whole as it came.
            if request.clientForm != .messages, let text = reply.text, !text.isEmpty {
                options.onEvent?(.begin(model: reply.model, id: nil, native: nil))
                options.onEvent?(.text(text))
            }
            return reply
        case .failure(let failure): throw connection.failure(failure, limit)
        }
    }

    /// The result of a stream. Only one that ended properly is a reply. What arrived of any other is kept with the failure.
    private func reply(
        _ head: HTTPAnswer, _ stream: AnthropicStream, _ problem: AnthropicStream.Malformed?, _ result: Result<HTTPAnswer, HTTPFailure>,
        _ request: AnthropicRequest, _ limit: CallLimit
    ) throws(ModelFailure) -> ModelReply {
        var failure: ModelFailure
        if let problem {
            failure = ModelFailure(.invalidReply, "\(connection.shown) \(problem.words)")
        } else if stream.error != nil {
            failure = failed(head, stream.error, request)
        } else if stream.isComplete {
            let native = request.clientForm == .messages ? stream.nativeBody?.text : nil
            return try reply(stream.body, usage: stream.usage.usage, head, request, native: native)
        } else if case .failure(let broken) = result {
            failure = connection.failure(broken, limit)
        } else {
            failure = ModelFailure(.retryable, "\(connection.shown) ended its answer before it was whole")
        }
        failure.requestID = failure.requestID ?? requestID(head)
        failure.limits = failure.limits ?? limits(head)
        failure.usage = stream.usage.usage
        failure.calls = stream.hasBegun ? 1 : 0
        // An error in place of an answer costs as little as an error status.
        failure.isMaybePaid = stream.hasBegun || stream.error == nil
        failure.partialText = stream.text.isEmpty ? nil : stream.text
        throw failure
    }
}
