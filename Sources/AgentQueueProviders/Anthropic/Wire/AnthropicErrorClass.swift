import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

/// Classifies failures of Anthropic's API, and of local servers that implement it. No other code does.
///
/// Source: "Errors" in Anthropic's API reference. Local servers may answer with errors of OpenAI's form.
enum AnthropicErrorClass {
    /// Decides the class of a failure and what it concerns.
    /// - Parameters:
    ///   - status: the HTTP status; 2xx if the error came inside a good answer or its stream.
    ///   - error: what the body or event says, if anything.
    static func classify(status: Int, error: OpenAIError?) -> (failure: FailureClass, scope: FailureScope) {
        if status < 500, isUnpaid(error) { return (.quotaExhausted, .provider) }
        let type = error?.type ?? error?.code
        if type == "exceed_context_size_error" { return (.permanent, .target) }
        // A 403 concerns a model, not the key.
        if status != 403, error?.refusesKey == true { return (.authentication, .provider) }
        if status < 300 {
            if let type, let named = statuses[type] { return byStatus(named) }
            // The number in the error serves as the status.
            if let number = error?.number, (400..<600).contains(number) { return byStatus(number) }
            return (.retryable, .target)
        }
        if status >= 500, type == "overloaded_error" || type == "unavailable_error" { return byStatus(529) }
        return byStatus(status)
    }

    /// The statuses of these errors outside a stream.
    private static let statuses: [String: Int] = [
        "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
        "not_found_error": 404, "conflict_error": 409, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
        "timeout_error": 504, "overloaded_error": 529,
        // Used by local servers.
        "unavailable_error": 503, "server_error": 500, "not_supported_error": 400,
    ]

    private static func byStatus(_ status: Int) -> (FailureClass, FailureScope) {
        switch status {
        case 401: (.authentication, .provider)
        case 402: (.quotaExhausted, .provider)
        case 403: (.authentication, .target)
        case 408, 409, 425: (.retryable, .target)
        case 429: (.rateLimited, .target)
        case 503, 529: (.overloaded, .target)
        case 500...: (.retryable, .target)
        default: (.permanent, .target)
        }
    }

    /// An empty account, or a limit set by its owner, is reported as a bad request: only the words tell.
    private static func isUnpaid(_ error: OpenAIError?) -> Bool {
        if error?.type == "billing_error" { return true }
        guard let words = error?.message?.lowercased() else { return false }
        return unpaidWords.contains { words.contains($0) }
    }

    private static let unpaidWords = ["credit balance is too low", "api usage limits", "spend limit", "spending limit"]

    /// The failure that an answer tells of.
    /// - Parameters:
    ///   - answer: the answer; for a stream, its head.
    ///   - error: what its body or an event of its stream says.
    ///   - url: the provider's base URL, without what may be secret in it.
    ///   - redaction: removes keys and prompts from the server's words.
    ///   - now: wall clock, ms.
    static func failure(
        _ answer: HTTPAnswer, error: OpenAIError?, url: String, redaction: Redaction, now: Int64
    ) -> ModelFailure {
        var (failure, scope) = classify(status: answer.status, error: error)
        var message = "\(url) answered \(answer.status)"
        if let name = error?.type ?? error?.code { message += " (\(redaction.clean(name, maxBytes: 64)))" }
        if (300..<400).contains(answer.status) {
            message += ", a redirect: the base URL is not the API's own"
        } else if let words = error?.message {
            let cleaned = redaction.clean(words)
            if !cleaned.isEmpty { message += ": \(cleaned)" }
        }
        let limits = ObservedLimits.anthropic(answer.headers, now: now)
        var wait: Int64?
        switch failure {
        case .rateLimited:
            wait = RetryAfter.wait(answer.headers, limits: false, now: now) ?? reset(limits)
            if let subscription = SubscriptionLimit(answer.headers), subscription.isRejected {
                scope = .provider
                wait = subscription.wait(now: now) ?? wait
            }
        case .overloaded, .retryable, .quotaExhausted: wait = RetryAfter.wait(answer.headers, limits: false, now: now)
        default: break
        }
        let requestID = AnthropicReply.printable(answer.headers.first(name: "request-id"))
        return ModelFailure(failure, Redaction.line(message), retryAfter: wait, requestID: requestID, scope: scope, limits: limits)
    }

    /// When the exhausted limits are available again.
    private static func reset(_ limits: ObservedLimits?) -> Int64? {
        let windows = [limits?.requests, limits?.tokens, limits?.inputTokens, limits?.outputTokens].compactMap(\.self)
        return windows.filter { $0.remaining == 0 }.compactMap(\.resetAfter).max()
    }
}

/// What an answer says about the limit of a subscription, which all its models share.
struct SubscriptionLimit: Sendable, Equatable {
    /// Whether the request was rejected.
    let isRejected: Bool
    /// When requests are accepted again: wall clock, ms.
    let resetsAt: Int64?

    /// Reads `anthropic-ratelimit-unified-…`; nil if there is none.
    init?(_ headers: HTTPHeaders) {
        func value(_ name: String) -> String? { headers.first(name: "anthropic-ratelimit-unified-\(name)") }
        guard let status = value("status") else { return nil }
        isRejected = status == "rejected"
        let claimed = value("representative-claim").flatMap { Self.windows[$0] }
        let reset = value("reset") ?? claimed.flatMap { value("\($0)-reset") }
        // In seconds, up to the year 9999.
        resetsAt = reset.flatMap { Int64($0) }.flatMap { (0..<253_402_300_800).contains($0) ? $0 * 1_000 : nil }
    }

    private static let windows = ["five_hour": "5h", "seven_day": "7d"]

    /// How long to wait, in ms, up to the longest wait that is believed; nil if it is not known or has passed.
    func wait(now: Int64) -> Int64? {
        guard let resetsAt, resetsAt > now else { return nil }
        return min(resetsAt - now, RetryAfter.longest)
    }
}
