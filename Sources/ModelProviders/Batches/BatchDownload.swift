import JobModel
import ModelCalls
import NIOHTTP1

/// Reads a batch's result lines from one address.
struct BatchDownload {
    let transport: HTTPTransport
    let url: String
    let headers: HTTPHeaders
    /// The provider's base URL, without what may be secret in it.
    let shown: String
    /// What no id of a call may hold.
    let secrets: [String]
    /// What an answer that is not good comes to.
    let refusal: (HTTPAnswer) -> ModelFailure
    /// What a line comes to; nil where it names no item.
    let result: (JSONValue) -> BatchItemResult?

    /// Reads all of it, and hands it on in slices while it comes.
    /// - Returns: why it could not be read to its end; what had come by then is handed on.
    /// - Throws: what `take` throws.
    func run(_ limit: CallLimit, _ take: ([BatchItemResult]) async throws -> Void) async throws -> ModelFailure? {
        let unreadable = ModelFailure(
            .invalidReply, "\(shown) answered a request of the batch with what is not valid JSON", calls: 1, isMaybePaid: true)
        var slices = BatchSlices(unreadable: unreadable) { line in
            result(line).map { BatchItemResult(id: $0.id, outcome: $0.outcome.withoutSecrets(secrets), remark: $0.remark) }
        }
        var headers = headers
        // The lines are no JSON text, and servers call them by several names.
        headers.replaceOrAdd(name: "accept", value: "*/*")
        let ending = try await transport.download(url, headers: headers, before: limit.deadline) { piece in
            for slice in try slices.feed(piece) { try await take(slice) }
        }
        if case .success(let answer) = ending, !(200..<300).contains(answer.status) { return refusal(answer) }
        if case .success = ending { slices.finish() }
        if Task.isCancelled { return HTTPFailure.cancelled(hasBegun: false).modelFailure(of: shown, timeout: limit.timeout) }
        let rest = slices.flush()
        if !rest.isEmpty { try await take(rest) }
        switch ending {
        case .failure(let failure): return Self.unpaid(failure.modelFailure(of: shown, timeout: limit.timeout))
        case .success where slices.isCut: return ModelFailure(.retryable, "\(shown) ended the batch's results before they were whole")
        case .success where slices.strangers > 0:
            return ModelFailure(.invalidReply, "\(shown) sent \(slices.strangers) lines of results that name no request")
        case .success: return nil
        }
    }

    /// Reading costs nothing, whatever becomes of it.
    static func unpaid(_ failure: ModelFailure) -> ModelFailure {
        var failure = failure
        failure.isMaybePaid = false
        failure.calls = 0
        return failure
    }
}
