import JobModel
import ModelCalls

extension OpenAIProvider {
    /// The most pages of the list that are read; each has 100 batches.
    private static let maxPages = 100

    /// The batches that bear the label. Where none does, those that bear nothing at all (there are servers that keep no metadata) and
    /// whose input file has the label's name; last, and uncertain, those of as many requests whose file has no name.
    ///
    /// Those that were refused come last.
    public func findBatches(
        label: String, count: Int, since: Int64, timeout: Int64
    ) async -> Result<[RemoteBatch], ModelFailure> {
        let limit = CallLimit(timeout: timeout)
        do throws(ModelFailure) {
            let listed = try await batches(since: since, limit)
            var certain = listed.filter { $0.label == label }.map(\.remote)
            var uncertain: [RemoteBatch] = []
            if certain.isEmpty {
                for batch in listed where !batch.hasMetadata && batch.remote.count ?? count == count {
                    switch try await fileName(of: batch, limit) {
                    case Self.fileName(of: label)?: certain.append(batch.remote)
                    case nil: uncertain.append(batch.remote)
                    default: break
                    }
                }
            }
            for index in uncertain.indices { uncertain[index].isCertain = false }
            let all = certain + uncertain
            return .success(all.filter { !Self.isRefused($0) } + all.filter(Self.isRefused))
        } catch {
            return .failure(error)
        }
    }

    private static func isRefused(_ batch: RemoteBatch) -> Bool {
        if case .refused = batch.status { true } else { false }
    }

    /// The batches made since then, as the server lists them: the newest first.
    private func batches(since: Int64, _ limit: CallLimit) async throws(ModelFailure) -> [OpenAIBatch] {
        var found: [OpenAIBatch] = []
        var last: String?
        for _ in 0..<Self.maxPages {
            let query = "limit=100" + (last.map { "&after=\(RemoteID.escaped($0))" } ?? "")
            let page = try await exchange("GET", "/batches", query: query, limit)
            guard let data = page["data"]?.array else {
                throw ModelFailure(.invalidReply, "\(base.shown) answered without a list of batches")
            }
            let redaction = Redaction(secrets: secrets)
            let batches = data.compactMap { OpenAIBatch($0, url: base.shown, redaction: redaction, now: now()) }
            // Times come in whole seconds.
            let recent = batches.filter { $0.remote.createdAt + 999 >= since }
            found += recent
            let next = RemoteID.read(page["last_id"]) ?? batches.last?.remote.id
            guard !recent.isEmpty, page["has_more"]?.bool ?? true, let next, next != last else { return found }
            last = next
        }
        throw ModelFailure(.retryable, "\(base.shown) lists too many batches to find one")
    }

    /// The name that a batch's input file was given; nil where the server knows of none.
    private func fileName(of batch: OpenAIBatch, _ limit: CallLimit) async throws(ModelFailure) -> String? {
        guard let file = batch.inputFile else { return nil }
        do throws(ModelFailure) {
            let name = try await exchange("GET", "/files/\(RemoteID.escaped(file))", limit)["filename"]?.string
            return name?.isEmpty == false ? name : nil
        } catch {
            if error.failure == .permanent { return nil }
            throw error
        }
    }
}
