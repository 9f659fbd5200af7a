import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore

/// Counts of tokens, which are no jobs.
extension CallHandler {
    /// Answers `count_tokens` with an estimate, and says that it is one.
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
        let tokens = policies.estimate(target, .generate, String(decoding: body.bytes, as: UTF8.self)).inputTokens
        let answer = ReplyRenderer.tokenCount(tokens)
        try await exchange.response.send(
            200, Self.json([("x-agent-queue-estimate", "true"), ("x-agent-queue-target", "\(target)")]), body: answer.utf8(sorted: false))
    }
}
