import AgentQueueModel

/// What an error body says, in any of its forms: `{"error": text, object or list}`, the error itself at the top level (older vLLM),
/// `{"detail": …}` (Python's web frameworks), or a list around any of them (Gemini).
package struct OpenAIError: Sendable, Equatable {
    /// The server's words.
    package var message: String?
    /// Such as `invalid_request_error`.
    package var type: String?
    /// Such as `model_not_found`.
    package var code: String?
    /// The member of the request that it is about, such as `max_tokens`.
    package var param: String?
    /// The code if it is a number, usually an HTTP status.
    package var number: Int?

    /// Makes an error.
    package init(message: String? = nil, type: String? = nil, code: String? = nil, param: String? = nil, number: Int? = nil) {
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.number = number
    }

    /// Reads an answer's body; nil if it reports no error. An answer with the requested content reports none, even with an empty `error`
    /// beside it.
    package init?(body: JSONValue) {
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
    package static func inside(_ body: JSONValue) -> OpenAIError? {
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
    package var refusesKey: Bool {
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
}
