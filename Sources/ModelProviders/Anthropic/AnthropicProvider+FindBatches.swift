import JobModel
import ModelCalls

extension AnthropicProvider {
    /// The batches made since then that hold as many requests; none is certain. The newest come first.
    public func findBatches(
        label: String, count: Int, since: Int64, timeout: Int64
    ) async -> Result<[RemoteBatch], ModelFailure> {
        let limit = CallLimit(timeout: timeout)
        do throws(ModelFailure) {
            var found = try await batches(since: since, limit).filter { $0.count == count }
            for index in found.indices { found[index].isCertain = false }
            return .success(found)
        } catch {
            return .failure(error)
        }
    }

    /// The most pages of the list that are read; each has 100 batches.
    private static let maxPages = 100

    /// The batches made since then, as the server lists them: the newest first.
    private func batches(since: Int64, _ limit: CallLimit) async throws(ModelFailure) -> [RemoteBatch] {
        var found: [RemoteBatch] = []
        var last: String?
        for _ in 0..<Self.maxPages {
            let query = "limit=100" + (last.map { "&after_id=\(RemoteID.escaped($0))" } ?? "")
            let page = try await ask("GET", "/messages/batches", query: query, limit)
            guard let data = page["data"]?.array else { throw ModelFailure(.invalidReply, "\(shown) answered without a list of batches") }
            let batches = data.compactMap { AnthropicBatch.read($0, now: now()) { resultsAddress($0, of: $1) } }
            // Times may come in whole seconds.
            let recent = batches.filter { $0.createdAt + 999 >= since }
            found += recent
            let next = RemoteID.read(page["last_id"]) ?? batches.last?.id
            guard !recent.isEmpty, page["has_more"]?.bool ?? true, let next, next != last else { return found }
            last = next
        }
        throw ModelFailure(.retryable, "\(shown) lists too many batches to find one")
    }
}
