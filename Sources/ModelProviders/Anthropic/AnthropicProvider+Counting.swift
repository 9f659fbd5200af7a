import JobModel
import ModelCalls

extension AnthropicProvider {
    /// How many tokens a `generate` request has, as the server counts them before it is sent: free, but with a rate limit of its own.
    /// - Parameter timeout: how long it may take, in ms.
    public func countTokens(_ request: ModelRequest, timeout: Int64) async -> Result<Int, ModelFailure> {
        do throws(ModelFailure) {
            let translated = try AnthropicRequest(request, maxOutputTokens: maxOutputTokens, promptCache: .off)
            let limit = CallLimit(timeout: timeout)
            let call = HTTPCall(
                method: "POST", url: endpoint("/messages/count_tokens"), headers: headers(version, hasBody: true, closes: false),
                body: translated.countBody.utf8(sorted: false))
            let answer = try await exchange(call, limit)
            let body = try json(answer, translated)
            guard let count = body["input_tokens"]?.int, count >= 0 else {
                throw ModelFailure(.invalidReply, "\(shown) answered without a count of tokens", requestID: requestID(answer))
            }
            return .success(count)
        } catch {
            // Counting costs nothing, whatever becomes of it.
            var failure = error
            failure.isMaybePaid = false
            return .failure(failure)
        }
    }
}
