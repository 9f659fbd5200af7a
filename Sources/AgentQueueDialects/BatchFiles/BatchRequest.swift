import AgentQueueModel

/// A request of a batch that has been read, apart from what its body asks for.
package struct BatchRequest: Sendable, Equatable {
    /// Its place in the input, from 1; in a file the number of its line.
    package var line: Int
    package var customID: String
    /// The request as it is written.
    package var body: [UInt8]

    package init(line: Int, customID: String, body: [UInt8]) {
        (self.line, self.customID, self.body) = (line, customID, body)
    }
}

/// What is wrong with a request of a batch, or with all of its input.
package struct BatchLineError: Error, Sendable, Equatable {
    /// One of OpenAI's, such as `invalid_json_line`.
    package var code: String
    /// One sentence that says what is wrong and what to do.
    package var message: String
    /// The member that is wrong.
    package var param: String?
    /// The request's place in the input, from 1; nil if the input is wrong as a whole.
    package var line: Int?

    package init(_ code: String, _ message: String, param: String? = nil, line: Int? = nil) {
        (self.code, self.message, self.param, self.line) = (code, message, param, line)
    }

    /// The second request of a batch with the same `custom_id`.
    package static func duplicate(_ customID: String, line: Int) -> BatchLineError {
        BatchLineError(
            "duplicate_custom_id", "The custom_id \(InvalidText.quoted(customID)) is used twice: give each request one of its own.",
            param: "custom_id", line: line)
    }

    /// The error of a request whose body is wrong in its own dialect.
    package init(_ error: RequestError, line: Int) { self.init(GatewayError(error), line: line) }

    /// The error of a request that no call could be made of.
    package init(_ error: GatewayError, line: Int) {
        let code = error.code ?? error.cause.row.code ?? "invalid_request"
        self.init(code, error.message, param: error.param.map { "body.\($0)" }, line: line)
    }

    /// An element of the errors of OpenAI's batches.
    package var json: JSONValue {
        [
            "code": .string(code), "message": .string(message), "param": param.map { .string($0) } ?? .null,
            "line": line.map { .integer(Int64($0)) } ?? .null,
        ]
    }

    /// The answer to a client that waits for the batch to be made.
    package var refusal: GatewayError {
        let words = line.map { "Request \($0): \(message)" } ?? message
        return GatewayError(code == Self.tooLarge ? .tooLarge : .malformed, words, param: param, code: code)
    }

    static let tooLarge = "request_too_large"
}

extension BatchEndpoint {
    /// The endpoint of the requests of a form; nil for the one that has no lines with a `url`.
    package init?(form: RequestForm) {
        switch form {
        case .chat: self = .chat
        case .responses: self = .responses
        case .embeddings: self = .embeddings
        case .messages: return nil
        }
    }

    /// The form of its requests; nil for an endpoint that is offered only to files of jobs.
    package var form: RequestForm? {
        switch self {
        case .chat: .chat
        case .responses: .responses
        case .embeddings: .embeddings
        case .completions: nil
        }
    }

    /// The path as clients write it.
    package var path: String { "/v1\(rawValue)" }
}
