import AgentQueueModel

/// Whose errors a client reads: by the `anthropic-version` header or a path of `/v1/messages`.
package enum APIFlavour: Sendable, Equatable {
    case openAI
    case anthropic
}

/// Why a client gets no answer, in the words of either API.
package struct GatewayError: Error, Sendable, Equatable {
    package var cause: Cause
    /// One sentence that says what is wrong and what to do.
    package var message: String
    /// The member of the request that is wrong.
    package var param: String?
    /// A code that says more than the cause's own.
    package var code: String?
    /// The methods that the path takes, for `methodNotAllowed`.
    package var allowedMethods: String?
    /// How long to wait before the request may succeed, in ms.
    package var retryAfter: Int64?
    /// When what is closed opens again, in ms since 1970.
    package var opensAt: Int64?
    /// The provider's own status and body.
    package var answer: ErrorAnswer?

    package init(_ cause: Cause, _ message: String, param: String? = nil, code: String? = nil) {
        self.cause = cause
        self.message = message
        self.param = param
        self.code = code
        if cause == .overloaded { retryAfter = 1_000 }
    }

    /// The error of a limit, breaker or pause that opens later than the client may wait.
    /// - Parameter opensAt: nil if it is not known.
    package static func closed(_ cause: Cause, _ message: String, opensAt: Int64?, now: Int64) -> GatewayError {
        var error = GatewayError(cause, message)
        guard let opensAt else { return error }
        error.opensAt = opensAt
        if opensAt - now <= maxRetryAfter {
            error.retryAfter = max(0, opensAt - now)
        } else {
            error.message += " It opens at \(TimeText.format(opensAt))."
        }
        return error
    }

    /// The error of a request that is wrong in its own dialect.
    package init(_ error: RequestError) {
        let cause: Cause =
            switch error.status {
            case 404: error.code == "model_not_found" ? .modelNotFound : .notFound
            case 413: .tooLarge
            case 422: .idempotencyConflict
            default: error.code == Cause.unsupportedParameter.row.code ? .unsupportedParameter : .malformed
            }
        self.init(cause, error.message, param: error.param, code: error.code)
    }

    /// Some SDKs ignore longer waits, others obey them for an hour.
    private static let maxRetryAfter: Int64 = 60_000
}

extension GatewayError {
    package enum Cause: Sendable, CaseIterable {
        case malformed
        case unsupportedParameter
        case invalidKey
        case forbidden
        case modelNotFound
        case notFound
        case methodNotAllowed
        case unsupportedMediaType
        case tooLarge
        case bodyTimeout
        case idempotencyConflict
        /// The key's budget is spent.
        case budgetSpent
        /// Limits that open only after the client may wait.
        case rateLimited
        /// A breaker, a pause, the provider's own key or quota, or no worker that serves it.
        case providerUnavailable
        /// Too many requests wait, or too many clients are connected.
        case overloaded
        case storageUnavailable
        case shuttingDown
        /// The provider refused the request itself.
        case providerRefused
        /// The provider's attempts are used up.
        case upstream
        case invalidReply
        case timeout
        case cancelled
        case crashed
        /// A new attempt's answer does not go on where the old one's ended. The job goes on.
        case streamRestarted
    }
}

extension GatewayError.Cause {
    /// What both APIs say of a cause.
    struct Row {
        var status: Int
        var type: String
        var code: String?
        var anthropicStatus: Int
        var anthropicType: String
        /// Whether the same request may be sent again; nil leaves it to the client's own rule.
        var retries: Bool?

        init(_ status: Int, _ type: String, _ code: String?, anthropic: (Int, String), retries: Bool? = nil) {
            (self.status, self.type, self.code) = (status, type, code)
            (anthropicStatus, anthropicType) = anthropic
            self.retries = retries
        }
    }

    private static let request = "invalid_request_error"

    /// What the queue has already retried is not to be retried by the client too: that would multiply the attempts.
    var row: Row {
        switch self {
        case .malformed: Row(400, Self.request, nil, anthropic: (400, Self.request))
        case .unsupportedParameter: Row(400, Self.request, "unsupported_parameter", anthropic: (400, Self.request))
        case .invalidKey: Row(401, Self.request, "invalid_api_key", anthropic: (401, "authentication_error"))
        case .forbidden: Row(403, Self.request, "permission_denied", anthropic: (403, "permission_error"))
        case .modelNotFound: Row(404, Self.request, "model_not_found", anthropic: (404, "not_found_error"))
        case .notFound: Row(404, Self.request, "not_found", anthropic: (404, "not_found_error"))
        case .methodNotAllowed: Row(405, Self.request, nil, anthropic: (405, Self.request))
        case .unsupportedMediaType: Row(415, Self.request, nil, anthropic: (415, Self.request))
        case .tooLarge: Row(413, Self.request, "request_too_large", anthropic: (413, "request_too_large"))
        case .bodyTimeout: Row(408, Self.request, "body_timeout", anthropic: (408, Self.request), retries: true)
        case .idempotencyConflict: Row(422, Self.request, "idempotency_conflict", anthropic: (422, Self.request), retries: false)
        case .budgetSpent: Row(429, "insufficient_quota", "insufficient_quota", anthropic: (402, "billing_error"), retries: false)
        case .rateLimited: Row(429, "rate_limit_error", "rate_limit_exceeded", anthropic: (429, "rate_limit_error"), retries: false)
        case .providerUnavailable: Row(503, "server_error", "provider_unavailable", anthropic: (503, "api_error"), retries: false)
        case .overloaded: Row(503, "server_error", "server_is_overloaded", anthropic: (529, "overloaded_error"), retries: true)
        case .storageUnavailable: Row(503, "server_error", "storage_unavailable", anthropic: (503, "api_error"), retries: true)
        case .shuttingDown: Row(503, "server_error", "shutting_down", anthropic: (503, "api_error"), retries: true)
        case .providerRefused: Row(400, Self.request, nil, anthropic: (400, Self.request), retries: false)
        case .upstream: Row(502, "server_error", "upstream_error", anthropic: (502, "api_error"), retries: false)
        case .invalidReply: Row(502, "server_error", "invalid_reply", anthropic: (502, "api_error"), retries: false)
        case .timeout: Row(504, "server_error", "timeout", anthropic: (504, "timeout_error"), retries: false)
        case .cancelled: Row(499, "server_error", "cancelled", anthropic: (499, "api_error"), retries: false)
        case .crashed: Row(500, "server_error", "crashed", anthropic: (500, "api_error"), retries: false)
        case .streamRestarted: Row(502, "server_error", "stream_restarted", anthropic: (502, "api_error"), retries: true)
        }
    }
}

extension GatewayError {
    /// The HTTP status: the provider's own, where the error is the provider's.
    package func status(_ flavour: APIFlavour) -> Int {
        if let own = providerStatus { return own }
        return flavour == .openAI ? cause.row.status : cause.row.anthropicStatus
    }

    /// The headers that belong to the error, beside those of every answer.
    package var headers: [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        if let allowedMethods { headers.append(("allow", allowedMethods)) }
        if let retries = cause.row.retries { headers.append(("x-should-retry", retries ? "true" : "false")) }
        if let retryAfter, retryAfter <= Self.maxRetryAfter {
            headers.append(("retry-after", String((retryAfter + 999) / 1_000)))
            headers.append(("retry-after-ms", String(retryAfter)))
        }
        if let opensAt { headers.append(("x-agent-queue-opens-at", TimeText.format(opensAt))) }
        return headers
    }

    /// The body: the provider's own, untouched, if it speaks the client's dialect.
    package func body(_ flavour: APIFlavour, requestID: String) -> [UInt8] {
        if let own = providerBody(flavour) { return Array(own.utf8) }
        return json(flavour, requestID: requestID).utf8(sorted: false)
    }

    /// The body as JSON, with the provider's words where it sent some in the other dialect.
    package func json(_ flavour: APIFlavour, requestID: String) -> JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        switch flavour {
        case .openAI:
            return [
                "error": [
                    "message": .string(message), "type": .string(type(.openAI)), "param": text(param), "code": text(code ?? cause.row.code),
                ]
            ]
        case .anthropic:
            var words = message
            if let param, !words.contains(param) { words = "\(param): \(words)" }
            var error: [JSONValue.Member] = [.init("type", .string(type(.anthropic))), .init("message", .string(words))]
            if let code = code ?? cause.row.code { error.append(.init("details", ["error_code": .string(code)])) }
            return ["type": "error", "error": .object(error), "request_id": .string(requestID)]
        }
    }

    /// The type, which follows the status where that is the provider's.
    private func type(_ flavour: APIFlavour) -> String {
        guard let status = providerStatus else { return flavour == .openAI ? cause.row.type : cause.row.anthropicType }
        switch (flavour, status) {
        case (.openAI, 500...): return "server_error"
        case (.openAI, _): return "invalid_request_error"
        case (.anthropic, 404): return "not_found_error"
        case (.anthropic, 409): return "conflict_error"
        case (.anthropic, 413): return "request_too_large"
        case (.anthropic, 504): return "timeout_error"
        case (.anthropic, 529): return "overloaded_error"
        case (.anthropic, 500...): return "api_error"
        case (.anthropic, _): return "invalid_request_error"
        }
    }

    private var providerStatus: Int? {
        guard let status = answer?.status else { return nil }
        switch cause {
        case .providerRefused: return (400..<500).contains(status) ? status : nil
        case .upstream: return (500..<600).contains(status) ? status : nil
        default: return nil
        }
    }

    private func providerBody(_ flavour: APIFlavour) -> String? {
        guard providerStatus != nil, let answer, let form = answer.form, form.flavour == flavour else { return nil }
        // A proxy's page is no error of the dialect.
        guard let body = try? JSONValue.parse(answer.body), body["error"] != nil else { return nil }
        return answer.body
    }
}

extension RequestForm {
    /// Whose dialect it is.
    package var flavour: APIFlavour { self == .messages ? .anthropic : .openAI }
}
