import JobModel
import ModelCalls

/// Reads the lines of a batch's results (protocols.md 2.7): each answer by the same rules as a live one.
struct AnthropicBatchResult: Sendable {
    /// The base URL without its version, as messages show it.
    let url: String

    /// What a line says; nil where it names no item.
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
            return BatchItemResult(id: id, outcome: .reply(try AnthropicReply.message(message, requestID: nil)))
        } catch {
            var failure = error
            guard failure.failure == .refused else {
                failure.message = Redaction.line("\(url) \(error.message)")
                return BatchItemResult(id: id, outcome: .failure(failure))
            }
            // How a refusal is explained may quote what was asked.
            failure.message = "\(url) declined to answer"
            return BatchItemResult(id: id, outcome: .failure(failure), remark: message["stop_details"]?["explanation"]?.string)
        }
    }

    /// An error, which is not charged for, classed as a live one. Without the request at hand, its sentence holds none of the server's
    /// words but codes.
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
