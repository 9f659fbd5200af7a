import JobModel
import ModelCalls

extension AnthropicProvider {
    /// Reads a batch's results.
    public func readResults(
        of batch: RemoteBatch, kind: JobKind, timeout: Int64, _ take: @Sendable ([BatchItemResult]) async throws -> Void
    ) async throws -> ModelFailure? {
        let reader = AnthropicBatchResult(url: shown)
        let download = BatchDownload(
            transport: transport, url: resultsAddress(batch.sources.first, of: batch.id),
            headers: headers(version, hasBody: false, closes: false), shown: shown, secrets: secrets,
            refusal: { refusal($0, bodies: []) }, result: { reader.read($0) })
        return try await download.run(CallLimit(timeout: timeout), take)
    }

    /// Where a batch's results are: where the server says, if that is the server's own; else where they are by the API. The key goes
    /// nowhere else, whatever a server or something before it says.
    func resultsAddress(_ said: String?, of id: String) -> String {
        let usual = endpoint("/messages/batches/\(RemoteID.escaped(id))/results")
        guard let said, said.utf8.count <= 2_048, said.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            return usual
        }
        let origin = Self.origin(of: shown)
        let address = BaseURL(said.hasPrefix("/") && !said.hasPrefix("//") ? origin + said : said)
        guard address.shown.hasPrefix(origin + "/"), address.credentials == nil else { return usual }
        return address.shown + (address.query.isEmpty ? base.query : address.query)
    }

    /// Scheme, host and port.
    private static func origin(of url: String) -> String {
        guard let mark = url.firstRange(of: "://") else { return url }
        return String(url[..<mark.upperBound] + url[mark.upperBound...].prefix { $0 != "/" })
    }
}
