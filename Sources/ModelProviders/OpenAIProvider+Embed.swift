import JobModel
import ModelCalls

extension OpenAIProvider {
    /// Embeds several requests' inputs in as few calls as possible, one after another.
    ///
    /// A call that fails fails every request with an input in it. After a failure that the inputs are not to blame for,
    /// the remaining calls are not made, and fail alike.
    func embed(
        _ requests: [(place: Int, request: ModelRequest)], _ limit: CallLimit, _ idempotencyKey: String?
    ) async -> [(Int, Outcome)] {
        let calls = EmbeddingCall.plan(requests, maxInputs: capabilities.maxEmbedInputs)
        var outcomes: [Int: Outcome] = [:]
        var stopped: ModelFailure?
        for (number, embedding) in calls.enumerated() {
            let key = number == 0 ? idempotencyKey : idempotencyKey.map { "\($0)-\(number)" }
            do throws(ModelFailure) {
                if let stopped { throw stopped }
                let reply = try await call("/embeddings", embedding.body, limit, key) { (body, requestID) throws(ModelFailure) in
                    try OpenAIReply.embeddings(
                        body, count: embedding.inputs.count, dimensions: embedding.dimensions, requestID: requestID)
                }
                Self.distribute(reply, of: embedding, to: &outcomes)
            } catch {
                if ![.permanent, .invalidReply, .refused].contains(error.failure) { stopped = error }
                for piece in embedding.pieces { outcomes[piece.request] = .failure(error) }
            }
        }
        let noInput = Outcome.failure(ModelFailure(.permanent, "the request holds no input to embed"))
        return requests.map { ($0.place, outcomes[$0.place] ?? noInput) }
    }

    private static func distribute(_ reply: ModelReply, of call: EmbeddingCall, to outcomes: inout [Int: Outcome]) {
        let weights = call.pieces.map(\.weight)
        let inputTokens = EmbeddingCall.shares(of: reply.usage.inputTokens, weights: weights)
        let outputTokens = EmbeddingCall.shares(of: reply.usage.outputTokens, weights: weights)
        var rest = (reply.embeddings ?? [])[...]
        for (number, piece) in call.pieces.enumerated() {
            let vectors = rest.prefix(piece.inputs.count)
            rest = rest.dropFirst(piece.inputs.count)
            var own = reply
            own.embeddings = Array(vectors)
            own.usage = Usage(inputTokens: inputTokens[number], outputTokens: outputTokens[number])
            switch outcomes[piece.request] {
            case nil: break
            case .failure: continue
            case .reply(let earlier):
                own.embeddings = (earlier.embeddings ?? []) + vectors
                own.usage.inputTokens += earlier.usage.inputTokens
                own.usage.outputTokens += earlier.usage.outputTokens
            }
            outcomes[piece.request] = .reply(own)
        }
    }
}
