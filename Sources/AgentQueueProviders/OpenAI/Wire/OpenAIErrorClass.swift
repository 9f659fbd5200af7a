import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

/// Classifies failures of OpenAI-compatible servers. No other code does.
///
/// Source: "Error codes" in OpenAI's guides, and the errors that llama.cpp, Ollama and vLLM were observed to send.
enum OpenAIErrorClass {
    /// Decides the class of a failure and what it concerns.
    /// - Parameters:
    ///   - status: the HTTP status; 2xx if the error came inside a good answer.
    ///   - error: what the body says, if anything.
    static func classify(status: Int, error: OpenAIError?) -> FailureClass {
        let words = [error?.code, error?.type].compactMap(\.self)
        if let named = words.compactMap({ strongWords[$0] }).first { return named }
        if error?.refusesKey == true { return .authentication }
        if status < 300 {
            // The number or the words in the error serve as the status.
            if let number = error?.number, (400..<600).contains(number) { return byStatus(number) }
            return words.compactMap { weakWords[$0.lowercased()] }.first ?? .retryable
        }
        if status >= 500, words.contains(where: { weakWords[$0.lowercased()] == .overloaded }) { return .overloaded }
        return byStatus(status)
    }

    /// The status that an error inside a good answer would have had; nil if it does not say.
    static func status(of error: OpenAIError) -> Int? {
        if let number = error.number, (400..<600).contains(number) { return number }
        for word in [error.code, error.type].compactMap({ $0?.lowercased() }) {
            if serverWords.contains(word) { return 500 }
            switch strongWords[word] ?? weakWords[word] {
            case .rateLimited: return 429
            case .overloaded: return 503
            case .authentication: return 401
            case .permanent, .refused: return 400
            default: continue
            }
        }
        return nil
    }

    private static let serverWords: Set<String> = ["server_error", "api_error", "internal_error", "internal_server_error", "internal"]

    /// These say more than any status.
    private static let strongWords: [String: FailureClass] = [
        "insufficient_quota": .quotaExhausted,
        "billing_hard_limit_reached": .quotaExhausted,
        "billing_not_active": .quotaExhausted,
        "context_length_exceeded": .permanent,
        "exceed_context_size_error": .permanent,
        "content_filter": .refused,
        "content_policy_violation": .refused,
    ]

    /// These count if no status does; in lower case.
    private static let weakWords: [String: FailureClass] = [
        "rate_limit_exceeded": .rateLimited,
        "rate_limit_error": .rateLimited,
        "tokens": .rateLimited,
        "requests": .rateLimited,
        "overloaded_error": .overloaded,
        "unavailable_error": .overloaded,
        "authentication_error": .authentication,
        "invalid_api_key": .authentication,
        "permission_error": .authentication,
        "invalid_request_error": .permanent,
        "badrequesterror": .permanent,
        "not_found_error": .permanent,
        "notfounderror": .permanent,
        "model_not_found": .permanent,
        "not_supported_error": .permanent,
        "resource_exhausted": .rateLimited,
        "unavailable": .overloaded,
        "unauthenticated": .authentication,
        "permission_denied": .authentication,
        "invalid_argument": .permanent,
    ]

    /// What a failure concerns: a refused key or an empty account concerns the whole provider, anything else, including rate limits, one
    /// model.
    static func scope(_ failure: FailureClass, status: Int, error: OpenAIError?) -> FailureScope {
        let number = status < 300 ? error?.number ?? status : status
        let isForbidden = number == 403 || error?.type == "permission_error"
        return failure == .quotaExhausted || (failure == .authentication && !isForbidden) ? .provider : .target
    }

    private static func byStatus(_ status: Int) -> FailureClass {
        switch status {
        case 401, 403: .authentication
        case 402: .quotaExhausted
        case 408, 409, 425: .retryable
        case 429: .rateLimited
        case 503, 529: .overloaded
        case 500...: .retryable
        default: .permanent
        }
    }

    /// The failure that an answer tells of.
    /// - Parameters:
    ///   - answer: the answer, not a good one.
    ///   - error: what its body says.
    ///   - url: the provider's base URL, without what may be secret in it.
    ///   - redaction: removes keys and prompts from the server's words.
    ///   - hidesWords: whether the server's words decide the class only, and are not shown: they may quote a request that is not at hand.
    ///   - now: wall clock, ms.
    static func failure(
        _ answer: HTTPAnswer, error said: OpenAIError?, url: String, redaction: Redaction, hidesWords: Bool = false, now: Int64
    ) -> ModelFailure {
        let failure = classify(status: answer.status, error: said)
        let error = hidesWords ? said?.withoutWords : said
        var message = "\(url) answered \(answer.status)"
        if let name = error?.code ?? error?.type { message += " (\(redaction.clean(name, maxBytes: 64)))" }
        if (300..<400).contains(answer.status) {
            message += ", a redirect: the base URL is not the API's own"
        } else if !hidesWords, let words = error?.message ?? plainText(answer) {
            let cleaned = redaction.clean(words)
            if !cleaned.isEmpty { message += ": \(cleaned)" }
        }
        return ModelFailure(
            failure, Redaction.line(message), retryAfter: wait(answer, failure, now: now), requestID: requestID(answer.headers),
            scope: scope(failure, status: answer.status, error: error), limits: .openAI(answer.headers))
    }

    private static func wait(_ answer: HTTPAnswer, _ failure: FailureClass, now: Int64) -> Int64? {
        switch failure {
        case .rateLimited: RetryAfter.wait(answer.headers, limits: true, now: now)
        case .overloaded, .retryable, .quotaExhausted: RetryAfter.wait(answer.headers, limits: false, now: now)
        default: nil
        }
    }

    /// A short body that is neither JSON nor a web page, such as one line from a proxy.
    private static func plainText(_ answer: HTTPAnswer) -> String? {
        guard answer.body.count <= 2_048, let text = String(validating: answer.body, as: UTF8.self) else { return nil }
        guard let first = text.first(where: { !$0.isWhitespace }), !"<{[".contains(first) else { return nil }
        return text
    }

    /// The server's id for the call; nil if it has none that can be printed.
    static func requestID(_ headers: HTTPHeaders) -> String? {
        guard let id = headers.first(name: "x-request-id") ?? headers.first(name: "request-id"), !id.isEmpty, id.utf8.count <= 256,
            id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return id
    }
}

extension OpenAIError {
    /// What may be shown if the request that it may quote is not at hand: codes, and none of the server's words.
    var withoutWords: OpenAIError {
        OpenAIError(type: BatchRules.code(type), code: BatchRules.code(code), number: number)
    }
}
