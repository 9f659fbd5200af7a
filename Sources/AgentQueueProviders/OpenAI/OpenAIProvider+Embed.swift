import AgentQueueDialects
import AgentQueueModel

extension OpenAIProvider {
    /// Embeds several requests' inputs in as few calls as possible, one after another.
    ///
    /// A failed call fails every request with an input in it. If the inputs are not to blame, the remaining calls are not made, and fail
    /// the same way.
    func embed(
        _ requests: [(place: Int, request: ModelRequest)], _ limit: CallLimit, _ idempotencyKey: String?
    ) async -> [(Int, Outcome)] {
        let calls = EmbeddingCall.plan(requests, capabilities)
        var outcomes: [Int: Outcome] = [:]
        var stopped: ModelFailure?
        for (number, embedding) in calls.enumerated() {
            let key = number == 0 ? idempotencyKey : idempotencyKey.map { $0.isEmpty ? $0 : "\($0)-\(number)" }
            do throws(ModelFailure) {
                if let stopped { throw stopped }
                Self.distribute(try await ask(embedding, limit, key), of: embedding, to: &outcomes)
            } catch {
                if ![.permanent, .invalidReply, .refused].contains(error.failure) {
                    stopped = error
                    // The cost of this call is not a cost of those that are not made.
                    stopped?.usage = Usage()
                    stopped?.cost = nil
                    stopped?.calls = 0
                    stopped?.isMaybePaid = false
                }
                Self.distribute(error, of: embedding, to: &outcomes)
            }
        }
        let noInput = Outcome.failure(ModelFailure.unsent("the request holds no input to embed"))
        return requests.map { ($0.place, outcomes[$0.place] ?? noInput) }
    }

    /// Makes one call, asking for base64. If that does not work, it is repeated with lists of numbers, which is remembered for the model.
    private func ask(_ embedding: EmbeddingCall, _ limit: CallLimit, _ idempotencyKey: String?) async throws(ModelFailure) -> ModelReply {
        let format = quirks.embeddingFormat(of: embedding.model)
        let refusal: CallFailure
        do throws(CallFailure) {
            return try await ask(embedding, format, limit, idempotencyKey)
        } catch {
            guard format == .base64, Self.isAboutFormat(error) else { throw error.failure }
            refusal = error
        }
        do throws(CallFailure) {
            let key = idempotencyKey.map { $0.isEmpty ? $0 : "\($0)-float" }
            var reply = try await ask(embedding, .float, limit, key)
            quirks.rememberFloat(for: embedding.model)
            reply.usage = reply.usage + refusal.failure.usage
            reply.calls += refusal.failure.calls
            if let cost = refusal.failure.cost { reply.cost = cost + (reply.cost ?? 0) }
            return reply
        } catch {
            var failure = error.failure
            failure.add(refusal.failure.usage, cost: refusal.failure.cost, calls: refusal.failure.calls)
            throw failure
        }
    }

    /// Whether the other format might work.
    private static func isAboutFormat(_ refusal: CallFailure) -> Bool {
        guard let error = refusal.error else { return false }
        let words = (error.message ?? "").lowercased()
        return error.param == "encoding_format" || ["encoding_format", "encoding format", "base64"].contains { words.contains($0) }
    }

    private func ask(
        _ embedding: EmbeddingCall, _ format: EmbeddingFormat, _ limit: CallLimit, _ idempotencyKey: String?
    ) async throws(CallFailure) -> ModelReply {
        let body = embedding.body(format)
        let answer = try await call("/embeddings", body, limit, idempotencyKey)
        do throws(ModelFailure) {
            var reply = try OpenAIReply.embeddings(
                answer.body, count: embedding.inputCount, dimensions: embedding.dimensions, requestID: answer.requestID)
            reply.limits = answer.limits
            return reply
        } catch {
            // Base64 that cannot be read is treated like a refusal of it.
            let isUnread = format == .base64 && OpenAIReply.holdsUnreadableText(answer.body)
            let refusal = isUnread ? OpenAIError(param: "encoding_format") : nil
            throw CallFailure(failure(error, of: answer, to: body), error: refusal)
        }
    }

    private static func distribute(_ reply: ModelReply, of call: EmbeddingCall, to outcomes: inout [Int: Outcome]) {
        let weights = call.pieces.map(\.weight)
        let usages = EmbeddingCall.shares(of: reply.usage, weights: weights)
        let total = Double(max(1, weights.reduce(0, +)))
        var rest = (reply.embeddings ?? [])[...]
        for (number, piece) in call.pieces.enumerated() {
            let vectors = rest.prefix(piece.inputs.count)
            rest = rest.dropFirst(piece.inputs.count)
            var own = reply
            own.embeddings = Array(vectors)
            own.usage = usages[number]
            own.cost = reply.cost.map { $0 * Double(weights[number]) / total }
            own.calls = number == 0 ? reply.calls : 0
            switch outcomes[piece.request] {
            case nil: break
            case .failure(var failure):
                failure.add(own.usage, cost: own.cost, calls: own.calls)
                outcomes[piece.request] = .failure(failure)
                continue
            case .reply(let earlier):
                own.embeddings = (earlier.embeddings ?? []) + vectors
                own.usage = own.usage + earlier.usage
                if let cost = own.cost { own.cost = cost + (earlier.cost ?? 0) }
                own.calls += earlier.calls
            }
            outcomes[piece.request] = .reply(own)
        }
    }

    private static func distribute(_ failure: ModelFailure, of call: EmbeddingCall, to outcomes: inout [Int: Outcome]) {
        let weights = call.pieces.map(\.weight)
        let usages = EmbeddingCall.shares(of: failure.usage, weights: weights)
        let total = Double(max(1, weights.reduce(0, +)))
        for (number, piece) in call.pieces.enumerated() {
            var own = failure
            own.usage = usages[number]
            own.cost = failure.cost.map { $0 * Double(weights[number]) / total }
            own.calls = number == 0 ? failure.calls : 0
            // The cost of its earlier calls remains.
            switch outcomes[piece.request] {
            case .reply(let earlier): own.add(earlier.usage, cost: earlier.cost, calls: earlier.calls)
            case .failure(let earlier):
                own.add(earlier.usage, cost: earlier.cost, calls: earlier.calls)
                own.isMaybePaid = own.isMaybePaid || earlier.isMaybePaid
            case nil: break
            }
            outcomes[piece.request] = .failure(own)
        }
    }
}

extension ModelFailure {
    /// Adds the cost of other calls for the same request.
    fileprivate mutating func add(_ usage: Usage, cost: Double?, calls: Int) {
        self.usage = self.usage + usage
        self.calls += calls
        if let cost { self.cost = cost + (self.cost ?? 0) }
    }
}
