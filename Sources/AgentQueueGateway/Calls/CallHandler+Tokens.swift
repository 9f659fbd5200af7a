import AgentQueueDialects
import AgentQueueModel
import AgentQueueProviders
import AgentQueueStore

/// Counting tokens, which makes no job.
extension CallHandler {
    /// How long a provider may take to count, in ms.
    private static let countTimeout: Int64 = 10_000

    /// Answers `count_tokens` with the provider's count, or else with an estimate that is marked as one.
    func countTokens(_ exchange: Exchange) async throws {
        let body = try await exchange.body()
        let target: Target
        let request: JSONValue
        do {
            target = try self.target(of: try ClientRequest.model(of: body.bytes), .messages, exchange.head.caller)
            request = try JSONValue.parse(String(decoding: body.bytes, as: UTF8.self))
        } catch let error as RequestError {
            throw GatewayError(error)
        } catch is JSONError {
            throw GatewayError(.malformed, "The request is not valid JSON.")
        }
        guard request["messages"]?.array?.isEmpty == false else {
            throw GatewayError(.malformed, "The request needs messages: a list with at least one.", param: "messages")
        }
        if let provider = counters[target.provider] {
            let betas = (exchange.head.header("anthropic-beta") ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
            let native = NativeRequest(
                form: .messages, body: String(decoding: body.bytes, as: UTF8.self), version: exchange.head.header("anthropic-version"),
                betas: betas)
            switch await provider.countTokens(native, model: target.model, timeout: Self.countTimeout) {
            case .success(let tokens):
                let answer = ReplyRenderer.tokenCount(tokens)
                return try await exchange.response.send(
                    200, Self.json([("x-agent-queue-target", "\(target)")]), body: answer.utf8(sorted: false))
            case .failure(let failure):
                // Faults of the request are reported. If the provider cannot be asked now, an estimate has to do.
                if failure.failure == .permanent, failure.answer != nil { throw GatewayError(failure) }
            }
        }
        let tokens = policies.estimate(target, .generate, String(decoding: body.bytes, as: UTF8.self)).inputTokens
        let answer = ReplyRenderer.tokenCount(tokens)
        try await exchange.response.send(
            200, Self.json([("x-agent-queue-estimate", "true"), ("x-agent-queue-target", "\(target)")]), body: answer.utf8(sorted: false))
    }
}
