import JobModel
import ModelCalls

extension OpenAIProvider {
    /// The names of the models that the server says it has, at most 10,000; many servers do not list all they serve.
    /// - Parameter timeout: how long it may take, in ms.
    public func models(timeout: Int64 = 10_000) async -> Result<[String], ModelFailure> {
        await models(CallLimit(timeout: timeout))
    }

    private func models(_ limit: CallLimit) async -> Result<[String], ModelFailure> {
        do throws(CallFailure) {
            let answer = try await call("/models", nil, limit, nil)
            guard let list = answer.body["data"]?.array ?? answer.body["models"]?.array ?? answer.body.array else {
                let failure = ModelFailure(.invalidReply, "answered without a list of models", requestID: answer.requestID)
                return .failure(self.failure(failure, of: answer, to: nil))
            }
            let redaction = Redaction(secrets: [])
            return .success(list.prefix(10_000).compactMap { ($0["id"] ?? $0["name"])?.string }.map { redaction.clean($0, maxBytes: 256) })
        } catch {
            return .failure(error.failure)
        }
    }

    /// Finds out whether a model answers, with one tiny real call, which may cost a fraction of a cent.
    /// - Parameters:
    ///   - model: its name at this provider; nil asks the first that the server lists.
    ///   - timeout: how long all of it may take, in ms.
    public func check(model: String?, timeout: Int64) async -> ProviderCheck {
        await check(model: model, kind: nil, timeout: timeout)
    }

    /// Finds out whether a model answers requests of one kind.
    /// - Parameters:
    ///   - model: its name at this provider; nil asks the first that the server lists.
    ///   - kind: `generate` or `embed`; nil tries the one, and then the other.
    ///   - timeout: how long all of it may take, in ms.
    public func check(model: String?, kind: JobKind?, timeout: Int64) async -> ProviderCheck {
        let limit = CallLimit(timeout: timeout, isCheck: true)
        let start = ContinuousClock.now
        var result = ProviderCheck(provider: name, model: model ?? "")
        switch await models(limit) {
        case .success(let names):
            result.models = names
            if model == nil {
                if let first = names.first(where: { !$0.isEmpty }) {
                    result.model = first
                } else {
                    result.failure = ModelFailure(.permanent, "\(base.shown) lists no model: name one")
                }
            }
        case .failure(let failure):
            // No list is no fault: not every server has one. No server, or no right to ask it, is.
            if model == nil || [.authentication, .timedOut, .cancelled, .shutdown].contains(failure.failure) {
                result.failure = failure
            }
        }
        if result.failure == nil {
            let outcome = kind == nil ? await askEither(result.model, limit) : await ask(result.model, kind ?? .generate, limit)
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
        // Fewer tokens are refused by models that think, and by the responses API.
        let body: JSONValue = ["messages": [["role": "user", "content": "hello"]], "max_tokens": 16]
        return await generate(ModelRequest(kind: .generate, target: target, body: body), limit, nil, nil)
    }
}
