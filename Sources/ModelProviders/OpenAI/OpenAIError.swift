import JobModel

/// What an error body says, in whichever of its shapes: `{"error": text, object or list}`, the error itself at the top
/// (older vLLM), `{"detail": …}` (Python's web frameworks), or a list around any of them.
struct OpenAIError: Sendable, Equatable {
    /// The server's words.
    var message: String?
    /// Such as `invalid_request_error`.
    var type: String?
    /// Such as `model_not_found`.
    var code: String?
    /// The member of the request that it is about, such as `max_tokens`.
    var param: String?
    /// Where the code is a number: an HTTP status, mostly.
    var number: Int?

    /// Makes an error.
    init(message: String? = nil, type: String? = nil, code: String? = nil, param: String? = nil, number: Int? = nil) {
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.number = number
    }

    /// Reads an answer's body; nil where it tells of no error. An answer that holds what was asked tells of none, even
    /// with an empty `error` beside it.
    init?(body: JSONValue) {
        switch body {
        case .array(let elements):
            guard let first = elements.first, let error = OpenAIError(body: first) else { return nil }
            self = error
        case .object:
            if let error = body["error"] ?? body["errors"], let read = OpenAIError(value: error) {
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

    private init(members: JSONValue) {
        // `msg` and `loc` are the web frameworks'; `input` beside them is the request, and no business of an error's.
        message = (members["message"] ?? members["msg"])?.string ?? members["error"]?.string
        if let place = members["loc"]?.array {
            let path = place.compactMap { $0.string ?? $0.int.map(String.init) }.joined(separator: ".")
            message = message.map { "\(path): \($0)" }
        }
        type = members["type"]?.string
        code = members["code"]?.string
        param = members["param"]?.string
        number = (members["code"] ?? members["status"])?.int
        if number == nil, let text = code, let parsed = Int(text) {
            number = parsed
            code = nil
        }
    }
}
