import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

/// Any server with Anthropic's API: Anthropic itself, or a local one such as llama.cpp, Ollama or vLLM.
///
/// Messages, plain, streamed and in batches. The wire format is that of Anthropic's API reference (Messages, Message Batches, version
/// 2023-06-01).
package struct AnthropicProvider: CheckableProvider {
    /// Its name in the configuration.
    package let name: String
    /// The limits of one of its batches.
    package let batchCapacity: BatchCapacity
    package let connection: APIConnection
    let version: String
    let promptCache: PromptCache
    let maxOutputTokens: Int
    let prefixes = PromptPrefixGate()
    let quirks = ServerQuirks()
    let now: @Sendable () -> Int64

    /// Anthropic's own limits, a little below its 256 MB.
    package static let usualBatchCapacity = BatchCapacity(items: 100_000, bytes: 240_000_000)

    /// Makes a provider. Nothing is called yet.
    /// - Parameters:
    ///   - name: its name in the configuration.
    ///   - baseURL: where its API is, with or without `/v1`, such as `https://api.anthropic.com` or `http://127.0.0.1:8089/v1`. Its query
    ///     is sent with every call; its user and password sign in if there is no key.
    ///   - apiKey: nil or blank for none, as local servers want it.
    ///   - version: `anthropic-version`; `2023-06-01` by default. The version of 2026-10-21 accepts no sampling parameters, so requests
    ///     that have some are sent as `2023-06-01`.
    ///   - promptCache: how requests that do not mention the prompt cache use it.
    ///   - maxOutputTokens: the limit of an answer's tokens if the request sets none; 4,096 by default.
    ///   - batchCapacity: the limits of one batch; Anthropic's own by default.
    ///   - transport: the HTTP client, which the caller shuts down.
    ///   - streams: how long its streams may be silent.
    ///   - now: wall clock in ms, to work out when limits reset.
    package init(
        name: String, baseURL: String, apiKey: String?, version: String = "2023-06-01", promptCache: PromptCache = .off,
        maxOutputTokens: Int = 4_096, batchCapacity: BatchCapacity = Self.usualBatchCapacity, transport: HTTPTransport,
        streams: StreamLimits = StreamLimits(),
        now: @escaping @Sendable () -> Int64 = WallClock.milliseconds
    ) {
        self.name = name
        self.version = version
        self.promptCache = promptCache
        self.maxOutputTokens = maxOutputTokens
        self.batchCapacity = batchCapacity
        self.now = now
        connection = APIConnection(baseURL, version: "/v1", apiKey: apiKey, transport: transport, streams: streams)
    }

    /// `anthropic` and the base URL in a normalised spelling, without password and query.
    package var identity: String { "anthropic \(connection.base.shown)" }

    /// Streaming and structured output; no embeddings.
    package var capabilities: ProviderCapabilities {
        var capabilities = ProviderCapabilities(streams: true, hasStructuredOutput: true)
        capabilities.forms = [.messages]
        return capabilities
    }

    /// Answers all requests at once, each with its own call. Of requests that share a marked prefix which is not in the prompt cache yet,
    /// one goes first and the others wait until its answer begins (``PromptPrefixes``), for at most half of their time.
    package func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        let limit = CallLimit(timeout: options.timeout)
        var outcomes = [Outcome](repeating: .failure(cancelled(limit)), count: requests.count)
        await withTaskGroup(of: (Int, Outcome).self) { group in
            for (place, request) in requests.enumerated() {
                var own = options
                if requests.count > 1 { own.idempotencyKey += "-\(place)" }
                if place > 0 { own.onEvent = nil }
                if options.idempotencyKey.isEmpty { own.idempotencyKey = "" }
                group.addTask { [own] in (place, await generate(request, limit, own)) }
            }
            for await (place, outcome) in group { outcomes[place] = outcome.withoutSecrets(connection.secrets) }
        }
        return outcomes
    }

    func cancelled(_ limit: CallLimit) -> ModelFailure {
        connection.failure(.cancelled(hasBegun: false), limit)
    }
}

extension AnthropicProvider {
    /// The names of the models that the server lists, newest first, at most 1,000.
    /// - Parameter timeout: in ms.
    package func models(timeout: Int64 = 10_000) async -> Result<[String], ModelFailure> {
        await models(CallLimit(timeout: timeout))
    }

    private func models(_ limit: CallLimit) async -> Result<[String], ModelFailure> {
        do throws(ModelFailure) {
            let call = HTTPCall(
                method: "GET", url: connection.address("/models", query: "limit=1000"),
                headers: headers(version, hasBody: false, closes: limit.isCheck))
            let answer = try await connection.exchange(call, limit)
            let body = try json(answer, nil)
            guard let list = body["data"]?.array ?? body["models"]?.array else {
                throw ModelFailure(.invalidReply, "\(connection.shown) answered without a list of models", requestID: requestID(answer))
            }
            let redaction = Redaction(secrets: [])
            let known = list.prefix(1_000).filter { $0["lifecycle"]?.string != "retired" }
            return .success(known.compactMap { ($0["id"] ?? $0["name"])?.string }.map { redaction.clean($0, maxBytes: 256) })
        } catch {
            return .failure(error)
        }
    }

    /// Finds out whether a model answers, with one tiny real call that may cost a fraction of a cent.
    /// - Parameters:
    ///   - model: its name at this provider; nil for the first that the server lists.
    ///   - timeout: for all calls together, in ms.
    package func check(model: String?, timeout: Int64) async -> ProviderCheck {
        let limit = CallLimit(timeout: timeout, isCheck: true)
        return await connection.check(name, model: model, list: { await models(limit) }, ask: { await ask($0, limit) })
    }

    /// One token is enough: an answer that is cut off there is still an answer.
    private func ask(_ model: String, _ limit: CallLimit) async -> ModelFailure? {
        guard !model.isEmpty else { return ModelFailure(.permanent, "\(connection.shown) lists no model: name one to check") }
        let body: JSONValue = ["messages": [["role": "user", "content": "hello"]], "max_tokens": 1]
        let request = ModelRequest(kind: .generate, target: Target(provider: name, model: model), body: body)
        let options = CallOptions(timeout: limit.timeout)
        guard case .failure(let failure) = await generate(request, limit, options), !failure.isCutOff else { return nil }
        return failure
    }
}

extension AnthropicProvider {
    /// Asks the server how many tokens a `generate` request has. This is free, but has a rate limit of its own.
    /// - Parameter timeout: in ms.
    package func countTokens(_ request: ModelRequest, timeout: Int64) async -> Result<Int, ModelFailure> {
        do throws(ModelFailure) {
            let translated = try AnthropicRequest(request, maxOutputTokens: maxOutputTokens, promptCache: .off)
            let headers = headers(version, hasBody: true, closes: false)
            return await countTokens(translated.countBody.utf8(sorted: false), headers, translated, CallLimit(timeout: timeout))
        } catch {
            return .failure(error)
        }
    }

    /// Asks the server how many tokens a client's own request has.
    /// - Parameters:
    ///   - model: its name at this provider.
    ///   - timeout: in ms.
    package func countTokens(_ native: NativeRequest, model: String, timeout: Int64) async -> Result<Int, ModelFailure> {
        do throws(ModelFailure) {
            var headers = headers(native.version ?? Self.samplingVersion, hasBody: true, closes: false)
            if !native.betas.isEmpty { headers.add(name: "anthropic-beta", value: native.betas.joined(separator: ",")) }
            let body = try NativeCall(native, model: model).bytes(streams: false)
            return await countTokens(body, headers, nil, CallLimit(timeout: timeout))
        } catch {
            return .failure(error)
        }
    }

    private func countTokens(
        _ body: [UInt8], _ headers: HTTPHeaders, _ request: AnthropicRequest?, _ limit: CallLimit
    ) async -> Result<Int, ModelFailure> {
        do throws(ModelFailure) {
            let call = HTTPCall(method: "POST", url: connection.address("/messages/count_tokens"), headers: headers, body: body)
            let answer = try await connection.exchange(call, limit)
            // A client's own request is told what the server says of it.
            let body = try json(answer, request, keepsError: request == nil)
            guard let count = body["input_tokens"]?.int, count >= 0 else {
                throw ModelFailure(.invalidReply, "\(connection.shown) answered without a count of tokens", requestID: requestID(answer))
            }
            return .success(count)
        } catch {
            // Counting is free, however it ends.
            var failure = error
            failure.isMaybePaid = false
            return .failure(failure)
        }
    }
}
