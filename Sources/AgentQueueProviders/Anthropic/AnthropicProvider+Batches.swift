import AgentQueueModel

/// Anthropic's Message Batches (protocols.md 2.7).
extension AnthropicProvider: BatchProvider {
    /// A request's bytes in a batch.
    package func batchSize(of item: BatchItem) -> Result<Int, ModelFailure> {
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
    package func submitBatch(_ items: [BatchItem], label: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
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

extension AnthropicProvider {
    /// How a batch stands.
    package func batch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        do throws(ModelFailure) {
            return .success(try await describe(id, CallLimit(timeout: timeout)))
        } catch {
            return .failure(error)
        }
    }

    /// Gives a batch up. One that has ended already comes back as it is.
    package func cancelBatch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
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
    package func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async {}

    /// The outcome, with what the server said of a failure, without what the request says.
    package func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome {
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

extension AnthropicProvider {
    /// The batches made since then that hold as many requests; none is certain. The newest come first.
    package func findBatches(
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

extension AnthropicProvider {
    /// Reads a batch's results.
    package func readResults(
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
