import JobModel
import ModelCalls

extension OpenAIProvider {
    /// Reads a batch's output file and its error file.
    ///
    /// How many vectors an `embed` request is to be answered with, and how long they are to be, is not known here: that is the caller's
    /// to check.
    public func readResults(
        of batch: RemoteBatch, kind: JobKind, timeout: Int64, _ take: @Sendable ([BatchItemResult]) async throws -> Void
    ) async throws -> ModelFailure? {
        let limit = CallLimit(timeout: timeout)
        let reader = OpenAIBatchResult(kind: kind, url: base.shown, secrets: secrets)
        var first: ModelFailure?
        for file in batch.sources where RemoteID.isUsable(file) {
            let download = BatchDownload(
                transport: transport, url: address("/files/\(RemoteID.escaped(file))/content"),
                headers: headers(nil, hasBody: false, streams: false, closes: false), shown: base.shown, secrets: secrets,
                refusal: { refusal($0, try? JSONValue.parse($0.body), bodies: []) }, result: { reader.read($0) })
            guard let failure = try await download.run(limit, take) else { continue }
            first = first ?? failure
            // The other file may be read all the same, where there is time.
            if [.cancelled, .shutdown, .timedOut].contains(failure.failure) { break }
        }
        return first
    }
}
