import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

/// Where a provider's API is, and how to sign in to it.
package struct APIConnection: Sendable {
    let base: BaseURL
    /// The base URL as messages show it.
    let shown: String
    /// What stands between the base URL and an endpoint's path.
    private let prefix: String
    let transport: HTTPTransport
    /// How long its streams may be silent.
    let streams: StreamLimits
    /// The API key; empty without one.
    let key: String
    /// The value of `authorization` for the base URL's user and password, which sign in where there is no key.
    let basic: String?
    /// What no message may show.
    let secrets: [String]

    /// - Parameters:
    ///   - version: what may end the base URL and is not shown, such as `/v1`: addresses have it either way. Empty for none.
    ///   - apiKey: nil, or one of blanks, is none.
    init(_ baseURL: String, version: String = "", apiKey: String?, transport: HTTPTransport, streams: StreamLimits) {
        base = BaseURL(baseURL)
        let hasVersion = base.shown.hasSuffix(version)
        shown = hasVersion ? String(base.shown.dropLast(version.count)) : base.shown
        prefix = hasVersion ? "" : version
        self.transport = transport
        self.streams = streams
        let key = apiKey.map { String($0.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()) } ?? ""
        self.key = key
        basic = key.isEmpty ? base.credentials.map { "Basic \(Base64.encode(Array($0.utf8)))" } : nil
        let password = base.credentials.flatMap { $0.split(separator: ":", maxSplits: 1).dropFirst().first.map(String.init) }
        secrets = [key, base.credentials, password].compactMap(\.self)
    }

    /// The address of an endpoint, such as `/models`.
    /// - Parameter query: members of the query besides those of the base URL, such as `limit=20`.
    func address(_ path: String, query: String = "") -> String { base.endpoint(prefix + path, query: query) }

    /// The headers that every call has, but for those that sign in.
    /// - Parameters:
    ///   - streams: whether the answer may be a stream.
    ///   - closes: whether the connection is closed after the answer.
    ///   - idempotencyKey: not sent where it is nil, empty, or no header's value. Neither vendor documents one, but gateways honour it.
    func headers(hasBody: Bool, streams: Bool = false, closes: Bool = false, idempotencyKey: String? = nil) -> HTTPHeaders {
        let types = streams ? "text/event-stream, application/json" : "application/json"
        var headers: HTTPHeaders = ["accept": types, "user-agent": "agent-queue"]
        if hasBody { headers.add(name: "content-type", value: "application/json") }
        if closes { headers.add(name: "connection", value: "close") }
        if let key = idempotencyKey, (1...255).contains(key.utf8.count), key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            headers.add(name: "idempotency-key", value: key)
        }
        return headers
    }

    /// Sends a call and returns its answer, whatever the status.
    func exchange(_ call: HTTPCall, _ limit: CallLimit) async throws(ModelFailure) -> HTTPAnswer {
        switch await transport.send(call, before: limit.deadline) {
        case .success(let answer): return answer
        case .failure(let failure): throw self.failure(failure, limit)
        }
    }

    /// An HTTP failure as the failure of a call.
    func failure(_ failure: HTTPFailure, _ limit: CallLimit) -> ModelFailure { failure.modelFailure(of: shown, timeout: limit.timeout) }

    /// Removes keys, and what requests say, from a server's words.
    func redaction(of bodies: [JSONValue] = []) -> Redaction { Redaction(secrets: secrets, bodies: bodies) }
}

extension APIConnection {
    /// Finds out whether a model answers.
    /// - Parameters:
    ///   - model: its name; nil takes the first that the server lists.
    ///   - list: asks the server for its models.
    ///   - ask: makes one tiny real call.
    func check(
        _ provider: String, model: String?, list: () async -> Result<[String], ModelFailure>, ask: (String) async -> ModelFailure?
    ) async -> ProviderCheck {
        let start = ContinuousClock.now
        var result = ProviderCheck(provider: provider, model: model ?? "")
        switch await list() {
        case .success(let names):
            result.models = names
            if model == nil {
                if let first = names.first(where: { !$0.isEmpty }) {
                    result.model = first
                } else {
                    result.failure = ModelFailure(.permanent, "\(shown) lists no model: name one to check")
                }
            }
        case .failure(let failure):
            // Not every server lists its models. One that cannot be reached, or refuses the key, will not answer either.
            if model == nil || [.unreachable, .authentication, .timedOut, .cancelled, .shutdown].contains(failure.failure) {
                result.failure = failure
            }
        }
        if result.failure == nil { result.failure = await ask(result.model) }
        result.milliseconds = Int64((ContinuousClock.now - start) / .milliseconds(1))
        return result
    }
}
