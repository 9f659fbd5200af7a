import AgentQueueModel
import NIOHTTP1

/// What an error body says, in any of its forms: `{"error": text, object or list}`, the error itself at the top level (older vLLM),
/// `{"detail": …}` (Python's web frameworks), or a list around any of them (Gemini).
struct OpenAIError: Sendable, Equatable {
    /// The server's words.
    var message: String?
    /// Such as `invalid_request_error`.
    var type: String?
    /// Such as `model_not_found`.
    var code: String?
    /// The member of the request that it is about, such as `max_tokens`.
    var param: String?
    /// The code if it is a number, usually an HTTP status.
    var number: Int?

    /// Makes an error.
    init(message: String? = nil, type: String? = nil, code: String? = nil, param: String? = nil, number: Int? = nil) {
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.number = number
    }

    /// Reads an answer's body; nil if it reports no error. An answer with the requested content reports none, even with an empty `error`
    /// beside it.
    init?(body: JSONValue) {
        switch body {
        case .array(let elements):
            guard let first = elements.first, let error = OpenAIError(body: first) else { return nil }
            self = error
        case .object:
            if let error = body["error"] ?? body["errors"], var read = OpenAIError(value: error) {
                // xAI writes the code beside the words.
                if error.string != nil { read.code = body["code"]?.string }
                self = read
            } else if let detail = body["detail"], let read = OpenAIError(value: detail) {
                self = read
            } else if body["object"]?.string == "error" || Self.isBare(body) {
                self.init(members: body)
            } else {
                return nil
            }
        default: return nil
        }
    }

    /// The error inside an answer with a good status: in place of the content, or, from a gateway, in the first choice.
    static func inside(_ body: JSONValue) -> OpenAIError? {
        if let choice = body["choices"]?.array?.first {
            guard choice["error"]?.members != nil || choice["finish_reason"]?.string == "error" else { return nil }
            return OpenAIError(body: choice) ?? OpenAIError(message: "the answer ended with an error")
        }
        guard body["data"]?.array == nil, body.array?.first?["embedding"] == nil else { return nil }
        return OpenAIError(body: body)
    }

    private static func isBare(_ body: JSONValue) -> Bool {
        body["message"]?.string != nil && ["choices", "data", "output"].allSatisfy { body[$0] == nil }
    }

    private init?(value: JSONValue) {
        switch value {
        case .string(let text):
            guard !text.isEmpty else { return nil }
            self.init(message: text)
        case .array(let elements):
            guard let first = elements.first, let error = OpenAIError(value: first) else { return nil }
            self = error
        case .object(let members):
            guard !members.isEmpty else { return nil }
            self.init(members: value)
        case .bool(true): self.init()
        case .null, .bool, .integer, .double, .digits: return nil
        }
    }

    /// The error of the server behind a gateway, which some gateways quote as JSON in their message; nil for any other words.
    private static func quoted(_ message: String) -> OpenAIError? {
        guard let first = message.first(where: { !$0.isWhitespace }), "{[".contains(first),
            let body = try? JSONValue.parseLeniently(message)
        else { return nil }
        return OpenAIError(body: body)
    }

    private init(members: JSONValue) {
        // `msg` and `loc` are the web frameworks'. `input` beside them is the request, and must not be shown.
        message = (members["message"] ?? members["msg"])?.string ?? members["error"]?.string
        if let inner = message.flatMap(Self.quoted) {
            self = inner
            return
        }
        if let place = members["loc"]?.array {
            let path = place.compactMap { $0.string ?? $0.int.map(String.init) }.joined(separator: ".")
            message = message.map { "\(path): \($0)" }
        }
        // Google's errors have a status that is a word, and a reason among their details.
        let status = members["status"]?.string.flatMap { $0.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F } ? $0 : nil }
        type = members["type"]?.string ?? status
        code = members["code"]?.string ?? members["details"]?.array?.lazy.compactMap { $0["reason"]?.string }.first
        param = members["param"]?.string
        number = (members["code"] ?? members["status"])?.int
        if number == nil, let text = code, let parsed = Int(text) {
            number = parsed
            code = nil
        }
    }
}

extension OpenAIError {
    /// Whether the server refuses the key, whatever the status: Gemini and xAI answer a wrong key with 400, as they do a bad request.
    ///
    /// Words count only at the beginning of the message: further on, they may quote the request.
    var refusesKey: Bool {
        let names = [code, type].compactMap { $0?.lowercased() }
        if names.contains(where: Self.keyCodes.contains) { return true }
        guard let words = message?.lowercased() else { return false }
        return Self.keyWords.contains { words.hasPrefix($0) }
    }

    private static let keyCodes: Set = [
        "invalid_api_key", "api_key_invalid", "invalidapikey", "incorrect_api_key", "missing_api_key", "api_key_expired",
    ]
    private static let keyWords = [
        "api key not valid", "api key not found", "api key expired", "incorrect api key", "invalid api key", "invalid api-key",
        "no api key", "missing api key", "missing or invalid authorization", "invalid authorization header", "invalid authentication",
    ]

    /// What may be shown if the request that it may quote is not at hand: codes, and none of the server's words.
    var withoutWords: OpenAIError {
        OpenAIError(type: BatchRules.code(type), code: BatchRules.code(code), number: number)
    }
}

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
