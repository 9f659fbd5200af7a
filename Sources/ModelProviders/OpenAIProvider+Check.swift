import JobModel
import ModelCalls

extension OpenAIProvider {
    /// The names of the models that the server says it has, at most 10,000; many servers do not list all they serve.
    /// - Parameter timeout: how long it may take, in ms.
    public func models(timeout: Int64 = 10_000) async -> Result<[String], ModelFailure> {
        await models(CallLimit(timeout: timeout))
    }

    private func models(_ limit: CallLimit) async -> Result<[String], ModelFailure> {
        do throws(ModelFailure) {
            let names = try await call("/models", nil, limit, nil) { (body, requestID) throws(ModelFailure) -> [String] in
                guard let list = body["data"]?.array ?? body["models"]?.array ?? body.array else {
                    throw ModelFailure(.invalidReply, "answered without a list of models", requestID: requestID)
                }
                let redaction = Redaction(secrets: [])
                return list.prefix(10_000).compactMap { ($0["id"] ?? $0["name"])?.string }.map { redaction.clean($0, maxBytes: 256) }
            }
            return .success(names)
        } catch {
            return .failure(error)
        }
    }

    /// Finds out whether a model answers, with one tiny real call, which may cost a fraction of a cent.
    /// - Parameters:
    ///   - model: its name at this provider.
    ///   - kind: `generate` or `embed`; nil (the default) tries the one, and then the other.
    ///   - timeout: how long all of it may take, in ms.
    public func check(model: String, kind: JobKind? = nil, timeout: Int64) async -> ProviderCheck {
        let limit = CallLimit(timeout: timeout, isCheck: true)
        let start = ContinuousClock.now
        var result = ProviderCheck(provider: name, model: model)
        switch await models(limit) {
        case .success(let names): result.models = names
        case .failure(let failure):
            // No list is no fault: not every server has one. No server, or no right to ask it, is.
            if failure.failure == .authentication || failure.failure == .timedOut || failure.failure == .cancelled {
                result.failure = failure
            }
        }
        if result.failure == nil {
            let outcome = kind == nil ? await askEither(model, limit) : await ask(model, kind ?? .generate, limit)
            if case .failure(let failure) = outcome { result.failure = failure }
        }
        result.milliseconds = Int64((ContinuousClock.now - start) / .milliseconds(1))
        return result
    }

    /// A chat first; where the server will not have one of this model, an embedding. If neither, the chat's failure.
    private func askEither(_ model: String, _ limit: CallLimit) async -> Outcome {
        let chat = await ask(model, .generate, limit)
        guard case .failure(let failure) = chat, [.permanent, .invalidReply, .retryable].contains(failure.failure) else { return chat }
        let embedding = await ask(model, .embed, limit)
        if case .reply = embedding { return embedding }
        return chat
    }

    private func ask(_ model: String, _ kind: JobKind, _ limit: CallLimit) async -> Outcome {
        let target = Target(provider: name, model: model)
        guard kind == .generate else {
            let request = ModelRequest(kind: .embed, target: target, body: ["input": ["hello"]])
            return await embed([(0, request)], limit, nil).first?.1 ?? .failure(ModelFailure(.permanent, "nothing was asked"))
        }
        func chat(_ member: String) async -> Outcome {
            let messages: JSONValue = [["role": "user", "content": "hello"]]
            let body = JSONValue.object([.init("messages", messages), .init(member, member == "max_tokens" ? 1 : 16)])
            return await generate(ModelRequest(kind: .generate, target: target, body: body), limit, nil)
        }
        let outcome = await chat("max_tokens")
        // OpenAI's newer models know the limit under another name only.
        guard case .failure(let failure) = outcome, failure.failure == .permanent, failure.message.contains("max_completion_tokens")
        else { return outcome }
        return await chat("max_completion_tokens")
    }
}
