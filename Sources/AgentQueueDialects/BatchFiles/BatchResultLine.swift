import AgentQueueModel

/// What became of a request of a batch.
package enum BatchLineOutcome: Sendable {
    /// The body of the answer, as the call itself would have had it.
    case succeeded(body: [UInt8])
    case errored(GatewayError)
    case cancelled
    /// It had not begun when the batch's time was over.
    case expired
}

/// A line of a batch's results.
package struct BatchResultLine: Sendable {
    private let customID: String
    private let id: String
    private let requestID: String
    private let outcome: BatchLineOutcome
    private let flavour: APIFlavour

    /// - Parameter id: what OpenAI's clients see as the id of the request, such as `batch_req_1`.
    package init(customID: String, id: String, requestID: String, outcome: BatchLineOutcome, flavour: APIFlavour) {
        (self.customID, self.id, self.requestID, self.outcome, self.flavour) = (customID, id, requestID, outcome, flavour)
    }

    /// Whether it belongs to the file of errors, which only OpenAI's batches have.
    package var isError: Bool { if case .succeeded = outcome { false } else { true } }

    /// The line with its end.
    package var bytes: [UInt8] { flavour == .openAI ? openAI : anthropic }

    private var openAI: [UInt8] {
        var line: [UInt8] = []
        Self.add(#"{"id":"#, id, to: &line)
        Self.add(#","custom_id":"#, customID, to: &line)
        switch outcome {
        case .succeeded(let body): response(200, body, &line)
        case .errored(let error): response(error.status(.openAI), error.body(.openAI, requestID: requestID), &line)
        case .cancelled: failure("batch_cancelled", "This request was cancelled with its batch before it was answered.", &line)
        case .expired:
            failure("batch_expired", "This request could not be executed before the completion window expired.", &line)
        }
        line += "}\n".utf8
        return line
    }

    private func response(_ status: Int, _ body: [UInt8], _ line: inout [UInt8]) {
        Self.add(#","response":{"status_code":\#(status),"request_id":"#, requestID, to: &line)
        line += #","body":"#.utf8
        Self.add(body, to: &line)
        line += #"},"error":null"#.utf8
    }

    private func failure(_ code: String, _ message: String, _ line: inout [UInt8]) {
        Self.add(#","response":null,"error":{"code":"#, code, to: &line)
        Self.add(#","message":"#, message, to: &line)
        line += "}".utf8
    }

    private var anthropic: [UInt8] {
        var line: [UInt8] = []
        Self.add(#"{"custom_id":"#, customID, to: &line)
        line += #","result":{"type":"#.utf8
        switch outcome {
        case .succeeded(let body):
            line += #""succeeded","message":"#.utf8
            Self.add(body, to: &line)
        case .errored(let error):
            line += #""errored","error":"#.utf8
            Self.add(error.body(.anthropic, requestID: requestID), to: &line)
        case .cancelled: line += #""canceled""#.utf8
        case .expired: line += #""expired""#.utf8
        }
        line += "}}\n".utf8
        return line
    }

    private static func add(_ before: String, _ text: String, to line: inout [UInt8]) {
        line += before.utf8
        JSONValue.string(text).write(to: &line, sorted: false)
    }

    /// A body that a provider has written over several lines becomes one: no text of JSON holds a line's end that is not escaped.
    private static func add(_ body: [UInt8], to line: inout [UInt8]) {
        line += body.lazy.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
    }
}
