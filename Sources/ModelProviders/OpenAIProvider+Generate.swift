import JobModel
import ModelCalls

extension OpenAIProvider {
    /// Members that are the queue's own, or that would change the answer's form.
    private static let ownMembers: Set<String> = ["model", "sample", "stream", "stream_options"]

    /// One chat completion.
    func generate(_ request: ModelRequest, _ limit: CallLimit, _ idempotencyKey: String?) async -> Outcome {
        guard let members = request.body.members else {
            return .failure(ModelFailure(.permanent, "the request is \(request.body.kindName), not an object"))
        }
        let body = JSONValue.object(
            [.init("model", .string(request.target.model))] + members.filter { !Self.ownMembers.contains($0.key) })
        do throws(ModelFailure) {
            return .reply(try await call("/chat/completions", body, limit, idempotencyKey, read: OpenAIReply.chat))
        } catch {
            return .failure(error)
        }
    }
}
