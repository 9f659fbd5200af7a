import JobModel
import ModelCalls

/// Anthropic's Message Batches (protocols.md 2.7).
extension AnthropicProvider: BatchProvider {
    /// A request's bytes in a batch.
    public func batchSize(of item: BatchItem) -> Result<Int, ModelFailure> {
        do throws(ModelFailure) {
            try BatchRules.check(item)
            var form = AnthropicBatchForm()
            let empty = form.bytes.count
            try form.add(item.id, try translated(item.request))
            // With the comma.
            let size = form.bytes.count - empty + 1
            try BatchRules.check(items: 1, bytes: size, batchCapacity)
            return .success(size)
        } catch {
            return .failure(error)
        }
    }

    /// Makes a batch. The API has no place for a label: ``findBatches(label:count:since:timeout:)`` goes by count and time.
    ///
    /// The batch may be there in spite of a failure that says `isMaybePaid`.
    public func submitBatch(_ items: [BatchItem], label: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        let limit = CallLimit(timeout: timeout)
        do throws(ModelFailure) {
            try BatchRules.check(items, label: label)
            var form = AnthropicBatchForm(capacity: items.count << 9)
            for item in items { try form.add(item.id, try translated(item.request)) }
            form.end()
            let bytes = form.bytes
            try BatchRules.check(items: items.count, bytes: bytes.count, batchCapacity)
            let bodies = BatchRules.bodies(of: items, bytes: bytes.count)
            let call = HTTPCall(
                method: "POST", url: endpoint("/messages/batches"),
                headers: headers(form.hasSampling ? Self.samplingVersion : version, hasBody: true, closes: false), body: bytes)
            let answer = try await exchange(call, limit)
            do throws(ModelFailure) {
                return .success(try batch(in: try document(answer, bodies: bodies)))
            } catch {
                throw error.ofSubmission(status: answer.status)
            }
        } catch {
            return .failure(error)
        }
    }

    private func translated(_ request: ModelRequest) throws(ModelFailure) -> AnthropicRequest {
        try AnthropicRequest(request, maxOutputTokens: maxOutputTokens, promptCache: promptCache)
    }
}
