import JobModel
import ModelCalls

/// Reads the lines of a batch's output and error files (protocols.md 3.6): each answer by the same rules as a live one.
struct OpenAIBatchResult: Sendable {
    /// What the requests asked.
    let kind: JobKind
    /// The provider's base URL, without what may be secret in it.
    let url: String
    let secrets: [String]

    /// What a line says; nil where it names no item.
    func read(_ line: JSONValue) -> BatchItemResult? {
        guard let id = line["custom_id"]?.string else { return nil }
        if let response = line["response"], response.members != nil {
            return read(response, id)
        }
        guard let error = OpenAIError(body: line) else {
            return invalid("answered a request of the batch with neither a response nor an error", id)
        }
        switch error.code {
        case "batch_expired":
            return failed(id, ModelFailure(.expired, "the batch at \(url) ended before the request's turn (batch_expired)"), error)
        case "batch_cancelled", "batch_canceled":
            return failed(id, ModelFailure(.cancelled, "the batch at \(url) was cancelled before the request's turn"), error)
        default: return failed(id, status: 200, error, requestID: nil)
        }
    }

    private func read(_ response: JSONValue, _ id: String) -> BatchItemResult {
        let requestID = RemoteID.read(response["request_id"])
        let status = response["status_code"]?.int ?? 200
        guard let body = response["body"], body.members != nil || body.array != nil else {
            guard (200..<300).contains(status) else { return failed(id, status: status, nil, requestID: requestID) }
            return invalid("answered a request of the batch without a body", id)
        }
        guard (200..<300).contains(status) else { return failed(id, status: status, OpenAIError(body: body), requestID: requestID) }
        if let error = OpenAIProvider.errorInside(body) { return failed(id, status: status, error, requestID: requestID) }
        do throws(ModelFailure) {
            return BatchItemResult(id: id, outcome: .reply(try reply(body, requestID)))
        } catch {
            // Its sentences are our own.
            var failure = error
            failure.message = Redaction.line("\(url) \(error.message)")
            failure.requestID = failure.requestID ?? requestID
            return BatchItemResult(id: id, outcome: .failure(failure))
        }
    }

    private func reply(_ body: JSONValue, _ requestID: String?) throws(ModelFailure) -> ModelReply {
        if kind.isBatchable { return try OpenAIReply.embeddings(body, count: nil, dimensions: nil, requestID: requestID) }
        let isResponse = body["choices"] == nil && body["output"] != nil
        return try OpenAIReply.chat(isResponse ? ResponsesReply.chat(body) : body, requestID: requestID)
    }

    /// An error, classed as a live answer's. Without the request at hand, its sentence holds none of the server's words but codes.
    private func failed(_ id: String, status: Int, _ error: OpenAIError?, requestID: String?) -> BatchItemResult {
        var failure = OpenAIErrorClass.failure(
            HTTPAnswer(status: status), error: error?.withoutWords, url: url, redaction: Redaction(secrets: secrets), now: 0)
        failure.requestID = requestID
        return failed(id, failure, error)
    }

    private func failed(_ id: String, _ failure: ModelFailure, _ error: OpenAIError?) -> BatchItemResult {
        BatchItemResult(id: id, outcome: .failure(failure), remark: error?.message)
    }

    /// What cannot be read may have been charged for.
    private func invalid(_ words: String, _ id: String) -> BatchItemResult {
        BatchItemResult(id: id, outcome: .failure(ModelFailure(.invalidReply, "\(url) \(words)", calls: 1, isMaybePaid: true)))
    }
}
