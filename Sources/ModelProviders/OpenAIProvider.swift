import JobModel
import ModelCalls
import NIOHTTP1

/// Any server that speaks OpenAI's API: OpenAI, llama.cpp, Ollama, vLLM, LM Studio, and hubs before them.
///
/// Chat completions and embeddings, not streamed; wire formats and tolerances from protocols.md 3 and 5.
public struct OpenAIProvider: ModelProvider {
    /// Its name in the configuration.
    public let name: String
    /// How many inputs one embeddings call may hold.
    public let capabilities: ProviderCapabilities
    let base: BaseURL
    let transport: HTTPTransport
    private let authorization: String?
    private let secrets: [String]
    private let now: @Sendable () -> Int64

    /// Makes a provider; calls nothing.
    /// - Parameters:
    ///   - name: its name in the configuration.
    ///   - baseURL: where its API is, such as `http://127.0.0.1:8089/v1`. A query stays with every call; a user and password
    ///     in it sign in where there is no key.
    ///   - apiKey: sent as a bearer token; nil, or one of blanks, sends none.
    ///   - maxEmbedInputs: the most inputs in one embeddings call.
    ///   - transport: the HTTP client, which the caller shuts down.
    ///   - now: wall clock, ms, for a `Retry-After` that is a date.
    public init(
        name: String, baseURL: String, apiKey: String?, maxEmbedInputs: Int = ProviderCapabilities().maxEmbedInputs,
        transport: HTTPTransport, now: @escaping @Sendable () -> Int64 = WallClock.milliseconds
    ) {
        self.name = name
        self.transport = transport
        self.now = now
        capabilities = ProviderCapabilities(maxEmbedInputs: max(1, maxEmbedInputs))
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
    /// shared out by the inputs' length in bytes, and adds up exactly.
    public func respond(to requests: [ModelRequest], timeout: Int64, idempotencyKey: String) async -> [Outcome] {
        let limit = CallLimit(timeout: timeout)
        let texts = requests.enumerated().filter { $0.element.kind.isBatchable }.map { (place: $0.offset, request: $0.element) }
        let cancelled = Outcome.failure(HTTPFailure.cancelled.modelFailure(of: base.shown, timeout: timeout))
        var outcomes = [Outcome](repeating: cancelled, count: requests.count)
        await withTaskGroup(of: [(Int, Outcome)].self) { group in
            for (place, request) in requests.enumerated() where !request.kind.isBatchable {
                let key = requests.count == 1 ? idempotencyKey : "\(idempotencyKey)-\(place)"
                group.addTask { [(place, await generate(request, limit, key))] }
            }
            if !texts.isEmpty {
                group.addTask { await embed(texts, limit, idempotencyKey) }
            }
            for await answered in group {
                for (place, outcome) in answered { outcomes[place] = outcome }
            }
        }
        return outcomes
    }

    /// Calls an endpoint and reads the answer's JSON.
    /// - Parameters:
    ///   - body: what to POST; nil is a GET.
    ///   - read: makes a value of a good answer; its failures' messages are ends of sentences.
    /// - Throws: `ModelFailure`, its message whole and clean.
    func call<Value>(
        _ path: String, _ body: JSONValue?, _ limit: CallLimit, _ idempotencyKey: String?,
        read: (JSONValue, String?) throws(ModelFailure) -> Value
    ) async throws(ModelFailure) -> Value {
        let request = HTTPCall(
            method: body == nil ? "GET" : "POST", url: base.endpoint(path),
            headers: headers(idempotencyKey, hasBody: body != nil, closes: limit.isCheck),
            body: body?.utf8(sorted: false))
        let answer: HTTPAnswer
        switch await transport.send(request, before: limit.deadline) {
        case .success(let value): answer = value
        case .failure(let failure): throw failure.modelFailure(of: base.shown, timeout: limit.timeout)
        }
        let requestID = OpenAIErrorClass.requestID(answer.headers)
        var redaction: Redaction { Redaction(secrets: secrets, bodies: body.map { [$0] } ?? []) }
        let parsed = Result { () throws(JSONError) in try JSONValue.parse(answer.body) }
        guard (200..<300).contains(answer.status) else {
            let error = (try? parsed.get()).flatMap { OpenAIError(body: $0) }
            throw OpenAIErrorClass.failure(answer, error: error, url: base.shown, redaction: redaction, now: now())
        }
        guard case .success(let value) = parsed else {
            throw ModelFailure(
                .invalidReply, "\(base.shown) answered \(answer.status) with what is not valid JSON", requestID: requestID)
        }
        if let error = Self.errorInside(value) {
            throw OpenAIErrorClass.failure(answer, error: error, url: base.shown, redaction: redaction, now: now())
        }
        do {
            return try read(value, requestID)
        } catch {
            var failure = error
            failure.message = Redaction.line("\(base.shown) \(redaction.clean(error.message))")
            throw failure
        }
    }

    /// The error inside an answer whose status is good: instead of what was asked, or, from a hub, in the first choice.
    private static func errorInside(_ body: JSONValue) -> OpenAIError? {
        if let choice = body["choices"]?.array?.first {
            guard choice["error"]?.members != nil || choice["finish_reason"]?.string == "error" else { return nil }
            return OpenAIError(body: choice) ?? OpenAIError(message: "the answer ended with an error")
        }
        guard body["data"]?.array == nil, body.array?.first?["embedding"] == nil else { return nil }
        return OpenAIError(body: body)
    }

    private func headers(_ idempotencyKey: String?, hasBody: Bool, closes: Bool) -> HTTPHeaders {
        var headers: HTTPHeaders = ["accept": "application/json", "user-agent": "agent-queue"]
        if hasBody { headers.add(name: "content-type", value: "application/json") }
        if closes { headers.add(name: "connection", value: "close") }
        if let authorization { headers.add(name: "authorization", value: authorization) }
        // OpenAI documents none; gateways honour it.
        if let key = idempotencyKey, !key.isEmpty, key.utf8.count <= 255, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            headers.add(name: "idempotency-key", value: key)
        }
        return headers
    }
}
