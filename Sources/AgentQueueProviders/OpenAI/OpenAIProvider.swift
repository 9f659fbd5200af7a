import AgentQueueModel
import NIOHTTP1

/// Any server that speaks OpenAI's API: OpenAI, llama.cpp, Ollama, vLLM, LM Studio, and hubs before them.
///
/// Chat completions (for models that need it, responses) and embeddings, live and in batches; wire formats and tolerances from
/// protocols.md 3 and 5.
package struct OpenAIProvider: ModelProvider {
    /// Its name in the configuration.
    package let name: String
    /// That it streams and holds models to a schema; and what one embeddings call may hold.
    package let capabilities: ProviderCapabilities
    /// What one of its batches may hold.
    package let batchCapacity: BatchCapacity
    package let connection: APIConnection
    let api: OpenAIAPI
    let quirks = ServerQuirks()
    let now: @Sendable () -> Int64

    /// What OpenAI's embeddings take in one call; others take more, or say nothing of it.
    private static let maxEmbedTokens = 300_000
    /// OpenAI's own limits, with some bytes to spare of its 200 MB.
    package static let usualBatchCapacity = BatchCapacity(items: 50_000, bytes: 190_000_000)

    /// Makes a provider; calls nothing.
    /// - Parameters:
    ///   - name: its name in the configuration.
    ///   - baseURL: where its API is, such as `http://127.0.0.1:8089/v1`. A query stays with every call; a user and password
    ///     in it sign in where there is no key.
    ///   - apiKey: sent as a bearer token; nil, or one of blanks, sends none.
    ///   - maxEmbedInputs: the most inputs in one embeddings call.
    ///   - maxEmbedTokens: the most tokens of the inputs of one call; nil is OpenAI's own limit.
    ///   - maxEmbedBytes: the most bytes of them; nil is 8 MiB.
    ///   - api: which of OpenAI's two APIs answers `generate` requests.
    ///   - batchCapacity: what one batch may hold; OpenAI's own limits by default.
    ///   - transport: the HTTP client, which the caller shuts down.
    ///   - now: wall clock, ms, for a `Retry-After` that is a date.
    package init(
        name: String, baseURL: String, apiKey: String?, maxEmbedInputs: Int = ProviderCapabilities().maxEmbedInputs,
        maxEmbedTokens: Int? = nil, maxEmbedBytes: Int? = nil, api: OpenAIAPI = .automatic,
        batchCapacity: BatchCapacity = Self.usualBatchCapacity, transport: HTTPTransport,
        now: @escaping @Sendable () -> Int64 = WallClock.milliseconds
    ) {
        self.name = name
        self.api = api
        self.batchCapacity = batchCapacity
        self.now = now
        capabilities = ProviderCapabilities(
            maxEmbedInputs: max(1, maxEmbedInputs), maxEmbedTokens: maxEmbedTokens ?? Self.maxEmbedTokens,
            maxEmbedBytes: maxEmbedBytes ?? ProviderCapabilities().maxEmbedBytes, streams: true, hasStructuredOutput: true)
        connection = APIConnection(baseURL, apiKey: apiKey, transport: transport)
    }

    /// `openai` and the base URL in one spelling, without a password or query in it.
    package var identity: String { "openai \(connection.shown)" }

    /// Answers requests: each `generate` with a call of its own, all at once; `embed` and `memorize` requests of one model and
    /// equal options with one call for as many as its limit allows, one call after another.
    ///
    /// A call that fails fails every request with an input in it, with the same failure. What a call of several used is
    /// shared out by the inputs' length in bytes, and adds up exactly; the call itself is counted for the first request in it.
    package func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        await answers(to: requests, options).map { $0.withoutSecrets(connection.secrets) }
    }

    private func answers(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        let limit = CallLimit(timeout: options.timeout)
        if requests.count == 1, !requests[0].kind.isBatchable {
            return [await generate(requests[0], limit, options.idempotencyKey, options.onText)]
        }
        let texts = requests.enumerated().filter { $0.element.kind.isBatchable }.map { (place: $0.offset, request: $0.element) }
        if texts.count == requests.count { return await embed(texts, limit, options.idempotencyKey).map(\.1) }
        let cancelled = connection.failure(.cancelled(hasBegun: false), limit)
        var outcomes = [Outcome](repeating: .failure(cancelled), count: requests.count)
        await withTaskGroup(of: [(Int, Outcome)].self) { group in
            for (place, request) in requests.enumerated() where !request.kind.isBatchable {
                let key = options.idempotencyKey.isEmpty ? "" : "\(options.idempotencyKey)-\(place)"
                group.addTask { [(place, await generate(request, limit, key, place == 0 ? options.onText : nil))] }
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

/// Which of OpenAI's two APIs answers a `generate` request.
package enum OpenAIAPI: String, Sendable, CaseIterable {
    /// Chat completions, and for a model that the server says needs it, responses: found out by one refused call per model.
    case automatic
    /// `/chat/completions`, which every compatible server has.
    case chat
    /// `/responses`.
    case responses
}

extension OpenAIProvider {
    /// The names of the models that the server says it has, at most 10,000; many servers do not list all they serve.
    /// - Parameter timeout: how long it may take, in ms.
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

    /// Finds out whether a model answers, with one tiny real call, which may cost a fraction of a cent.
    /// - Parameters:
    ///   - model: its name at this provider; nil asks the first that the server lists.
    ///   - timeout: how long all of it may take, in ms.
    package func check(model: String?, timeout: Int64) async -> ProviderCheck {
        await check(model: model, kind: nil, timeout: timeout)
    }

    /// Finds out whether a model answers requests of one kind.
    /// - Parameters:
    ///   - model: its name at this provider; nil asks the first that the server lists.
    ///   - kind: `generate` or `embed`; nil tries the one, and then the other.
    ///   - timeout: how long all of it may take, in ms.
    package func check(model: String?, kind: JobKind?, timeout: Int64) async -> ProviderCheck {
        let limit = CallLimit(timeout: timeout, isCheck: true)
        return await connection.check(name, model: model, list: { await models(limit) }) { model in
            let outcome = kind == nil ? await askEither(model, limit) : await ask(model, kind ?? .generate, limit)
            guard case .failure(let failure) = outcome else { return nil }
            return failure
        }
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
