import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

/// Any server with OpenAI's API: OpenAI, llama.cpp, Ollama, vLLM, LM Studio, and gateways in front of them.
///
/// Chat completions (responses for models that need them) and embeddings, live and in batches. The wire format is that of OpenAI's API
/// reference; ``ServerQuirks`` holds what servers were found to do differently.
package struct OpenAIProvider: CheckableProvider {
    /// Its name in the configuration.
    package let name: String
    /// Streaming, structured output, and the limits of one embeddings call.
    package let capabilities: ProviderCapabilities
    /// The limits of one of its batches.
    package let batchCapacity: BatchCapacity
    package let connection: APIConnection
    let api: OpenAIAPI
    let quirks = ServerQuirks()
    let now: @Sendable () -> Int64

    /// OpenAI's limit of one embeddings call. Other servers allow more, or do not say.
    private static let maxEmbedTokens = 300_000
    /// OpenAI's own limits, a little below its 200 MB.
    package static let usualBatchCapacity = BatchCapacity(items: 50_000, bytes: 190_000_000)

    /// Makes a provider. Nothing is called yet.
    /// - Parameters:
    ///   - name: its name in the configuration.
    ///   - baseURL: where its API is, such as `http://127.0.0.1:8089/v1`. Its query is sent with every call; its user and password sign in
    ///     if there is no key.
    ///   - apiKey: sent as a bearer token; nil or blank for none.
    ///   - maxEmbedInputs: how many inputs one embeddings call may have.
    ///   - maxEmbedTokens: how many tokens its inputs may have; nil for OpenAI's limit.
    ///   - maxEmbedBytes: how many bytes; nil for 8 MiB.
    ///   - api: which of OpenAI's two APIs answers `generate` requests.
    ///   - batchCapacity: the limits of one batch; OpenAI's own by default.
    ///   - transport: the HTTP client, which the caller shuts down.
    ///   - streams: how long its streams may be silent.
    ///   - now: wall clock in ms, for a `Retry-After` that is a date.
    package init(
        name: String, baseURL: String, apiKey: String?, maxEmbedInputs: Int = ProviderCapabilities().maxEmbedInputs,
        maxEmbedTokens: Int? = nil, maxEmbedBytes: Int? = nil, api: OpenAIAPI = .automatic,
        batchCapacity: BatchCapacity = Self.usualBatchCapacity, transport: HTTPTransport, streams: StreamLimits = StreamLimits(),
        now: @escaping @Sendable () -> Int64 = WallClock.milliseconds
    ) {
        self.name = name
        self.api = api
        self.batchCapacity = batchCapacity
        self.now = now
        var capabilities = ProviderCapabilities(
            maxEmbedInputs: max(1, maxEmbedInputs), maxEmbedTokens: maxEmbedTokens ?? Self.maxEmbedTokens,
            maxEmbedBytes: maxEmbedBytes ?? ProviderCapabilities().maxEmbedBytes, streams: true, hasStructuredOutput: true)
        let connection = APIConnection(baseURL, apiKey: apiKey, transport: transport, streams: streams)
        self.connection = connection
        // Of the servers that are not told to be asked by one of the two, only OpenAI's own is known to have both.
        switch api {
        case .chat: capabilities.forms = [.chat, .embeddings]
        case .responses: capabilities.forms = [.responses, .embeddings]
        case .automatic:
            capabilities.forms = [.chat, .embeddings]
            if connection.shown.hasPrefix("https://api.openai.com/") { capabilities.forms.insert(.responses) }
        }
        self.capabilities = capabilities
    }

    /// `openai` and the base URL in a normalised spelling, without password and query.
    package var identity: String { "openai \(connection.shown)" }

    /// Answers requests: all `generate` requests at once, each with its own call; `embed` and `memorize` requests with the same model and
    /// options in as few calls as its limits allow, one after another.
    ///
    /// A failed call fails every request with an input in it, with the same failure. The usage of a shared call is divided by the inputs'
    /// length in bytes and adds up exactly; the call itself is counted for its first request.
    package func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        await answers(to: requests, options).map { $0.withoutSecrets(connection.secrets) }
    }

    private func answers(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        let limit = CallLimit(timeout: options.timeout)
        if requests.count == 1, !requests[0].kind.isBatchable {
            return [await generate(requests[0], limit, options.idempotencyKey, options.onEvent)]
        }
        let texts = requests.enumerated().filter { $0.element.kind.isBatchable }.map { (place: $0.offset, request: $0.element) }
        if texts.count == requests.count { return await embed(texts, limit, options.idempotencyKey).map(\.1) }
        let cancelled = connection.failure(.cancelled(hasBegun: false), limit)
        var outcomes = [Outcome](repeating: .failure(cancelled), count: requests.count)
        await withTaskGroup(of: [(Int, Outcome)].self) { group in
            for (place, request) in requests.enumerated() where !request.kind.isBatchable {
                let key = options.idempotencyKey.isEmpty ? "" : "\(options.idempotencyKey)-\(place)"
                group.addTask { [(place, await generate(request, limit, key, place == 0 ? options.onEvent : nil))] }
            }
            if !texts.isEmpty {
                group.addTask { await embed(texts, limit, options.idempotencyKey) }
            }
            for await answered in group {
                for (place, outcome) in answered { outcomes[place] = outcome }
            }
        }
        return outcomes
    }
}

extension OpenAIProvider {
    /// The names of the models that the server lists, at most 10,000. Many servers do not list all they serve.
    /// - Parameter timeout: in ms.
    package func models(timeout: Int64 = 10_000) async -> Result<[String], ModelFailure> {
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

    /// Finds out whether a model answers, with one tiny real call that may cost a fraction of a cent.
    /// - Parameters:
    ///   - model: its name at this provider; nil for the first that the server lists.
    ///   - timeout: for all calls together, in ms.
    package func check(model: String?, timeout: Int64) async -> ProviderCheck {
        await check(model: model, kind: nil, timeout: timeout)
    }

    /// Finds out whether a model answers requests of one kind.
    /// - Parameters:
    ///   - model: its name at this provider; nil for the first that the server lists.
    ///   - kind: `generate` or `embed`; nil to try one and then the other.
    ///   - timeout: for all calls together, in ms.
    package func check(model: String?, kind: JobKind?, timeout: Int64) async -> ProviderCheck {
        let limit = CallLimit(timeout: timeout, isCheck: true)
        return await connection.check(
            name, model: model, list: { await models(limit) },
            ask: { model in
                let outcome = kind == nil ? await askEither(model, limit) : await ask(model, kind ?? .generate, limit)
                guard case .failure(let failure) = outcome else { return nil }
                return failure
            })
    }

    /// Tries a chat, then an embedding if the server refuses that. If neither works, the chat's failure is returned.
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
        // Thinking models and the responses API refuse fewer tokens.
        let body: JSONValue = ["messages": [["role": "user", "content": "hello"]], "max_tokens": 16]
        let outcome = await generate(ModelRequest(kind: .generate, target: target, body: body), limit, nil, nil)
        // A model that needs more tokens than that to think works all the same.
        if case .failure(let failure) = outcome, failure.isCutOff { return .reply(ModelReply(text: "", finishReason: "length")) }
        return outcome
    }
}
