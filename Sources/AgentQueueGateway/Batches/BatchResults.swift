import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore

/// What became of a batch's requests, as its client reads it.
struct BatchResults: Sendable {
    let gateway: GatewayStore

    init(_ store: QueueStore) { gateway = store.gateway }

    /// The line of a request that has ended; nil if its job runs again.
    /// - Throws: `StoreError`.
    func line(_ ended: EndedLine, of batch: ClientBatch) throws -> BatchResultLine? { try result(ended, of: batch)?.line }

    /// The line of a request that has ended, with the tokens of its answer.
    func result(_ ended: EndedLine, of batch: ClientBatch) throws -> (line: BatchResultLine, usage: Usage)? {
        let id = "aq\(batch.id)_\(ended.line)"
        var usage = Usage()
        guard let outcome = try outcome(ended, batch.form, requestID: "req_\(id)", &usage) else { return nil }
        return (
            BatchResultLine(
                customID: ended.customID, id: "batch_req_\(id)", requestID: "req_\(id)", outcome: outcome, flavour: batch.form.flavour),
            usage
        )
    }

    private func outcome(
        _ ended: EndedLine, _ form: RequestForm, requestID: String, _ usage: inout Usage
    ) throws -> BatchLineOutcome? {
        switch ended.outcome {
        case .cancelled: return .cancelled
        case .expired: return .expired
        case .succeeded, .failed: break
        }
        guard let job = ended.job else { return .errored(GatewayError(stored: ended.error ?? .null)) }
        guard let found = try gateway.outcomes(of: [job])[job] else {
            return .errored(GatewayError(.notFound, "Job \(job) was removed before its answer was read."))
        }
        guard found.state.isFinal else { return nil }
        do throws(GatewayError) {
            let answer = try found.answer()
            usage = found.result?.usage ?? Usage()
            let context = try context(job, found, form, requestID: requestID)
            return .succeeded(body: ReplyRenderer.body(of: answer, form: form, context: context))
        } catch {
            return .errored(error)
        }
    }

    private func context(_ job: Int64, _ found: JobOutcome, _ form: RequestForm, requestID: String) throws(GatewayError) -> ReplyContext {
        let target = (found.result?.target ?? found.error?.target).flatMap { Target($0) }
        var context = ReplyContext(job: job, model: target?.model ?? "", created: found.madeAt, requestID: requestID)
        guard form == .responses || form == .embeddings else { return context }
        let native: NativeRequest?
        do { native = try gateway.native(of: job) } catch let error as StoreError { throw GatewayError(error) } catch {
            throw GatewayError(answering: error)
        }
        // A stored request was checked before.
        let sent = native.flatMap { try? JSONValue.parse($0.body) }
        context.isBase64 = sent?["encoding_format"] == "base64"
        if form == .responses { context.request = .object((sent?.members ?? []).filter { $0.key != "input" }) }
        return context
    }
}
