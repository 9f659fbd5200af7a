import JobModel
import ModelCalls
import NIOHTTP1

/// Any server that speaks OpenAI's API: OpenAI, llama.cpp, Ollama, vLLM, LM Studio, and hubs before them.
///
/// Chat completions (for models that need it, responses) and embeddings, live and in batches; wire formats and tolerances from
/// protocols.md 3 and 5.
public struct OpenAIProvider: ModelProvider {
    /// Its name in the configuration.
    public let name: String
    /// That it streams and holds models to a schema; and what one embeddings call may hold.
    public let capabilities: ProviderCapabilities
    /// What one of its batches may hold.
    public let batchCapacity: BatchCapacity
    let base: BaseURL
    let transport: HTTPTransport
    let api: OpenAIAPI
    let habits = ServerHabits()
    let authorization: String?
    let secrets: [String]
    let now: @Sendable () -> Int64

    /// What OpenAI's embeddings take in one call; others take more, or say nothing of it.
    private static let maxEmbedTokens = 300_000
    /// OpenAI's own limits, with some bytes to spare of its 200 MB.
    public static let usualBatchCapacity = BatchCapacity(items: 50_000, bytes: 190_000_000)

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
    public init(
        name: String, baseURL: String, apiKey: String?, maxEmbedInputs: Int = ProviderCapabilities().maxEmbedInputs,
        maxEmbedTokens: Int? = nil, maxEmbedBytes: Int? = nil, api: OpenAIAPI = .automatic,
        batchCapacity: BatchCapacity = Self.usualBatchCapacity, transport: HTTPTransport,
        now: @escaping @Sendable () -> Int64 = WallClock.milliseconds
    ) {
        self.name = name
        self.transport = transport
        self.api = api
        self.batchCapacity = batchCapacity
        self.now = now
        capabilities = ProviderCapabilities(
            maxEmbedInputs: max(1, maxEmbedInputs), maxEmbedTokens: maxEmbedTokens ?? Self.maxEmbedTokens,
            maxEmbedBytes: maxEmbedBytes ?? ProviderCapabilities().maxEmbedBytes, streams: true, hasStructuredOutput: true)
        base = BaseURL(baseURL)
        let key = apiKey.map { String($0.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) } ?? ""
        if !key.isEmpty {
            authorization = "Bearer \(key)"
        } else {
            authorization = base.credentials.map { "Basic \(Base64.encode(Array($0.utf8)))" }
        }
        secrets = [key] + (base.credentials.map { [$0] + $0.split(separator: ":", maxSplits: 1).dropFirst().map(String.init) } ?? [])
    }

    /// `openai` and the base URL in one spelling, without a password or query in it.
    public var identity: String { "openai \(base.shown)" }

    /// Answers requests: each `generate` with a call of its own, all at once; `embed` and `memorize` requests of one model and
    /// equal options with one call for as many as its limit allows, one call after another.
    ///
    /// A call that fails fails every request with an input in it, with the same failure. What a call of several used is
    /// shared out by the inputs' length in bytes, and adds up exactly; the call itself is counted for the first request in it.
    public func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        await answers(to: requests, options).map { $0.withoutSecrets(secrets) }
    }

    private func answers(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
        let limit = CallLimit(timeout: options.timeout)
        if requests.count == 1, !requests[0].kind.isBatchable {
            return [await generate(requests[0], limit, options.idempotencyKey, options.onText)]
        }
        let texts = requests.enumerated().filter { $0.element.kind.isBatchable }.map { (place: $0.offset, request: $0.element) }
        if texts.count == requests.count { return await embed(texts, limit, options.idempotencyKey).map(\.1) }
        let cancelled = HTTPFailure.cancelled(hasBegun: false).modelFailure(of: base.shown, timeout: options.timeout)
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
