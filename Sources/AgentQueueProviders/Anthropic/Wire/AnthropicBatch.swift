import AgentQueueDialects
import AgentQueueModel

/// Reads Anthropic's descriptions of batches.
enum AnthropicBatch {
    /// Reads a description of a batch; nil if it is not one.
    /// - Parameters:
    ///   - results: makes the address of the results from the one the server names and the batch's id.
    ///   - now: wall clock, ms.
    static func read(_ body: JSONValue, now: Int64, results: (String?, String) -> String) -> RemoteBatch? {
        guard let id = RemoteID.read(body["id"]), let status = body["processing_status"]?.string else { return nil }
        // They always add up to the whole batch.
        let counts = body["request_counts"]?.members?.compactMap { $0.value.int }.filter { (0...1_000_000).contains($0) } ?? []
        let count = counts.reduce(0, +)
        return RemoteBatch(
            id: id, status: status == "ended" ? .ended : .inProgress, count: count > 0 ? count : nil,
            createdAt: time(body["created_at"]) ?? now, expiresAt: time(body["expires_at"]),
            sources: status == "ended" ? [results(body["results_url"]?.string, id)] : [])
    }

    private static func time(_ value: JSONValue?) -> Int64? { value?.string.flatMap { Timestamp.rfc3339($0) } }
}

/// Builds the body of the request that creates a batch, one request at a time.
struct AnthropicBatchForm {
    private(set) var bytes: [UInt8] = []
    /// Whether any request is of the API's older version.
    private(set) var hasSampling = false
    private var isEmpty = true

    /// Starts an empty body.
    /// - Parameter capacity: how many bytes to reserve.
    init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
        bytes.append(contentsOf: #"{"requests":["#.utf8)
    }

    /// Adds a request.
    /// - Throws: `ModelFailure` (`permanent`, not sent) if it cannot be sent in a batch.
    mutating func add(_ id: String, _ request: AnthropicRequest) throws(ModelFailure) {
        guard request.maxTokens > 0 else {
            throw ModelFailure.unsent("max_tokens of 0 only warms the prompt cache, which no batch does: send the job live")
        }
        guard request.body["speed"] == nil else { throw ModelFailure.unsent("'speed' is for live calls, and no batch takes it") }
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
        // Clients' own requests are of the older version too, unless they say otherwise: those are not sent in a batch.
        hasSampling = hasSampling || request.hasSampling || request.native != nil
        let params =
            if let native = request.native, let model = request.body["model"]?.string {
                BatchRules.oneLine(try NativeCall(native, model: model).bytes(streams: false, keepsStream: false))
            } else {
                request.body.utf8(sorted: false)
            }
        JSONValue.object([.init("custom_id", .string(id))]).write(to: &bytes, sorted: false)
        bytes.removeLast()
        bytes += Array(#","params":"#.utf8) + params + Array("}".utf8)
    }

    /// Closes the body. No request can be added after this.
    mutating func end() {
        bytes.append(contentsOf: "]}".utf8)
    }
}

/// Reads the result lines of a batch. Each answer follows the same rules as a live one.
struct AnthropicBatchResult: Sendable {
    /// The base URL without its version, as messages show it.
    let url: String

    /// Reads a line; nil if it names no item.
    func read(_ line: JSONValue) -> BatchItemResult? {
        guard let id = line["custom_id"]?.string else { return nil }
        let result = line["result"] ?? .null
        switch result["type"]?.string {
        case "succeeded": return answered(id, result["message"] ?? .null)
        case "errored": return failed(id, result["error"] ?? .null)
        case "expired": return ended(id, .expired, "the batch at \(url) ended before the request's turn (expired)")
        case "canceled", "cancelled": return ended(id, .cancelled, "the batch at \(url) was cancelled before the request's turn")
        default:
            return ended(
                id, .invalidReply, "\(url) answered a request of the batch with a result of no known type", isMaybePaid: true)
        }
    }

    private func answered(_ id: String, _ message: JSONValue) -> BatchItemResult {
        do throws(ModelFailure) {
            let reply = try AnthropicReply.message(message, requestID: nil)
            return BatchItemResult(id: id, outcome: .reply(reply), native: .init(form: .messages, body: message))
        } catch {
            var failure = error
            guard failure.failure == .refused else {
                failure.message = Redaction.line("\(url) \(error.message)")
                return BatchItemResult(id: id, outcome: .failure(failure))
            }
            // The explanation of a refusal may quote the request.
            failure.message = "\(url) declined to answer"
            return BatchItemResult(id: id, outcome: .failure(failure), remark: message["stop_details"]?["explanation"]?.string)
        }
    }

    /// An error, which is free, classed like a live one. The request is not at hand, so of the server's words only codes are shown.
    private func failed(_ id: String, _ value: JSONValue) -> BatchItemResult {
        let error = OpenAIError(body: value) ?? OpenAIError(body: ["error": value])
        let (failure, scope) = AnthropicErrorClass.classify(status: 200, error: error)
        let code = BatchRules.code(error?.type ?? error?.code).map { " (\($0))" } ?? ""
        var result = ended(id, failure, "\(url) answered a request of the batch with an error\(code)")
        if case .failure(var known) = result.outcome {
            known.scope = scope
            known.requestID = AnthropicReply.printable(value["request_id"]?.string)
            result.outcome = .failure(known)
        }
        result.remark = error?.message
        return result
    }

    private func ended(_ id: String, _ failure: FailureClass, _ message: String, isMaybePaid: Bool = false) -> BatchItemResult {
        let failure = ModelFailure(failure, message, calls: isMaybePaid ? 1 : 0, isMaybePaid: isMaybePaid)
        return BatchItemResult(id: id, outcome: .failure(failure))
    }
}
