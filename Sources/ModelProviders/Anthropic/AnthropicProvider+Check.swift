import JobModel
import ModelCalls

extension AnthropicProvider {
    /// The names of the models that the server lists, at most 1,000, the newest first.
    /// - Parameter timeout: how long it may take, in ms.
    public func models(timeout: Int64 = 10_000) async -> Result<[String], ModelFailure> {
        await models(CallLimit(timeout: timeout))
    }

    private func models(_ limit: CallLimit) async -> Result<[String], ModelFailure> {
        do throws(ModelFailure) {
            let call = HTTPCall(
                method: "GET", url: endpoint("/models", query: "limit=1000"),
                headers: headers(version, hasBody: false, closes: limit.isCheck))
            let answer = try await exchange(call, limit)
            let body = try json(answer, nil)
            guard let list = body["data"]?.array ?? body["models"]?.array else {
                throw ModelFailure(.invalidReply, "\(shown) answered without a list of models", requestID: requestID(answer))
            }
            let redaction = Redaction(secrets: [])
            let known = list.prefix(1_000).filter { $0["lifecycle"]?.string != "retired" }
            return .success(known.compactMap { ($0["id"] ?? $0["name"])?.string }.map { redaction.clean($0, maxBytes: 256) })
        } catch {
            return .failure(error)
        }
    }

    /// Finds out whether a model answers, with one tiny real call, which may cost a fraction of a cent.
    /// - Parameters:
    ///   - model: its name at this provider; nil takes the first that the server lists.
    ///   - timeout: how long all of it may take, in ms.
    public func check(model: String?, timeout: Int64) async -> ProviderCheck {
        let limit = CallLimit(timeout: timeout, isCheck: true)
        let start = ContinuousClock.now
        var result = ProviderCheck(provider: name, model: model ?? "")
        switch await models(limit) {
        case .success(let names):
            result.models = names
            if model == nil { result.model = names.first ?? "" }
        case .failure(let failure):
            // No list is no fault: not every server has one. No server, or no right to ask it, is.
            if model == nil || [.authentication, .timedOut, .cancelled, .shutdown].contains(failure.failure) { result.failure = failure }
        }
        if result.failure == nil {
            result.failure = await ask(result.model, limit)
        }
        result.milliseconds = Int64((ContinuousClock.now - start) / .milliseconds(1))
        return result
    }

    /// One token is enough to know: an answer cut off there is an answer.
    private func ask(_ model: String, _ limit: CallLimit) async -> ModelFailure? {
        guard !model.isEmpty else { return ModelFailure(.permanent, "\(shown) lists no model: name one to check") }
        let body: JSONValue = ["messages": [["role": "user", "content": "hello"]], "max_tokens": 1]
        let request = ModelRequest(kind: .generate, target: Target(provider: name, model: model), body: body)
        let options = CallOptions(timeout: limit.timeout)
        guard case .failure(let failure) = await generate(request, limit, options) else { return nil }
        return failure
    }
}
