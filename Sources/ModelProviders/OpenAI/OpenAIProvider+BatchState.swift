import JobModel
import ModelCalls

extension OpenAIProvider {
    /// How a batch stands.
    public func batch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        do throws(ModelFailure) {
            return .success(try await describe(id, CallLimit(timeout: timeout)).remote)
        } catch {
            return .failure(error)
        }
    }

    /// Gives a batch up. One that has ended already comes back as it is.
    public func cancelBatch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        let limit = CallLimit(timeout: timeout)
        do throws(ModelFailure) {
            let path = try path(of: id) + "/cancel"
            return .success(try batch(in: try await exchange("POST", path, limit)).remote)
        } catch {
            guard error.wasSent, [.permanent, .retryable].contains(error.failure), let known = try? await describe(id, limit).remote,
                known.status != .inProgress
            else { return .failure(error) }
            return .success(known)
        }
    }

    /// Removes a batch's input file. What it answered stays, as a record of its owner's.
    public func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async {
        let limit = CallLimit(timeout: timeout)
        guard let file = try? await describe(batch.id, limit).inputFile else { return }
        await removeFile(file, limit)
    }

    /// The outcome, with what the server said of a failure, without what the request says.
    public func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome {
        result.explained(by: Redaction(secrets: secrets, bodies: [request.body]))
    }

    /// The batch that an answer describes.
    func batch(in body: JSONValue) throws(ModelFailure) -> OpenAIBatch {
        guard let batch = OpenAIBatch(body, url: base.shown, redaction: Redaction(secrets: secrets), now: now()) else {
            throw ModelFailure(.invalidReply, "\(base.shown) answered without a batch")
        }
        return batch
    }

    func describe(_ id: String, _ limit: CallLimit) async throws(ModelFailure) -> OpenAIBatch {
        try batch(in: try await exchange("GET", try path(of: id), limit))
    }

    func path(of id: String) throws(ModelFailure) -> String {
        guard RemoteID.isUsable(id) else { throw ModelFailure.unsent("the batch has a name that cannot be asked for") }
        return "/batches/\(RemoteID.escaped(id))"
    }
}
