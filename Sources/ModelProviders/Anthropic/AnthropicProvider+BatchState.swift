import JobModel
import ModelCalls

extension AnthropicProvider {
    /// How a batch stands.
    public func batch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        do throws(ModelFailure) {
            return .success(try await describe(id, CallLimit(timeout: timeout)))
        } catch {
            return .failure(error)
        }
    }

    /// Gives a batch up. One that has ended already comes back as it is.
    public func cancelBatch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        let limit = CallLimit(timeout: timeout)
        do throws(ModelFailure) {
            return .success(try batch(in: try await ask("POST", try path(of: id) + "/cancel", limit)))
        } catch {
            guard error.wasSent, [.permanent, .retryable].contains(error.failure), let known = try? await describe(id, limit),
                known.status != .inProgress
            else { return .failure(error) }
            return .success(known)
        }
    }

    /// Nothing is kept but the results, which go by themselves.
    public func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async {}

    /// The outcome, with what the server said of a failure, without what the request says.
    public func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome {
        result.explained(by: Redaction(secrets: secrets, bodies: [request.body]))
    }

    func batch(in body: JSONValue) throws(ModelFailure) -> RemoteBatch {
        guard let batch = AnthropicBatch.read(body, now: now(), results: { resultsAddress($0, of: $1) }) else {
            throw ModelFailure(.invalidReply, "\(shown) answered without a batch")
        }
        return batch
    }

    func describe(_ id: String, _ limit: CallLimit) async throws(ModelFailure) -> RemoteBatch {
        try batch(in: try await ask("GET", try path(of: id), limit))
    }

    func path(of id: String) throws(ModelFailure) -> String {
        guard RemoteID.isUsable(id) else { throw ModelFailure.unsent("the batch has a name that cannot be asked for") }
        return "/messages/batches/\(RemoteID.escaped(id))"
    }
}
