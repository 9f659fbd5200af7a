import AgentQueueModel
import NIOHTTP1

/// OpenAI's Files and Batches (protocols.md 3.5, 3.6).
extension OpenAIProvider: BatchProvider {
    /// A chat or embeddings request's line, in bytes. Models that answer by the responses API alone are sent to it where the provider is
    /// configured so (`api: responses`), or was told by a live answer.
    package func batchSize(of item: BatchItem) -> Result<Int, ModelFailure> {
        do throws(ModelFailure) {
            try BatchRules.check(item)
            var line: [UInt8] = []
            try form(for: item.request).write(item, to: &line)
            try BatchRules.check(items: OpenAIBatchForm.count(of: item.request), bytes: line.count, batchCapacity)
            return .success(line.count)
        } catch {
            return .failure(error)
        }
    }

    /// Uploads the requests as a file, `LABEL.jsonl`, and makes a batch of it whose metadata hold the label.
    ///
    /// The batch may be there in spite of a failure that says `isMaybePaid`. After any other the file is removed again, as far as it can.
    package func submitBatch(_ items: [BatchItem], label: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        let limit = CallLimit(timeout: timeout)
        do throws(ModelFailure) {
            try BatchRules.check(items, label: label)
            let form = form(for: items[0].request)
            var upload = MultipartForm(capacity: items.count << 9)
            upload.add("purpose", "batch")
            try upload.add("file", fileName: Self.fileName(of: label)) { (bytes: inout [UInt8]) throws(ModelFailure) in
                for item in items { try form.write(item, to: &bytes) }
            }
            upload.end()
            let bytes = upload.bytes
            try BatchRules.check(
                items: items.reduce(0) { $0 + OpenAIBatchForm.count(of: $1.request) }, bytes: bytes.count, batchCapacity)
            let bodies = BatchRules.bodies(of: items, bytes: bytes.count)
            let file = try await send(upload, bodies: bodies, limit)
            return .success(try await makeBatch(of: file, form.endpoint, label, bodies: bodies, limit))
        } catch {
            return .failure(error)
        }
    }

    /// The name of a batch's input file, by which it is known even at servers that keep no metadata.
    static func fileName(of label: String) -> String { "\(label).jsonl" }

    private func form(for request: ModelRequest) -> OpenAIBatchForm {
        let model = request.target.model
        // All of OpenAI's models know the newer limit. A batch would find out only when each of its requests has been refused.
        let chat = quirks.chatForm(of: model) ?? ChatForm(hasCompletionLimit: true, usesResponses: api == .responses)
        return OpenAIBatchForm(
            chat: request.kind.isBatchable ? nil : chat, format: quirks.embeddingFormat(of: model), limits: capabilities)
    }

    /// Uploads a batch's input, and returns the file's name.
    private func send(_ form: MultipartForm, bodies: [JSONValue]?, _ limit: CallLimit) async throws(ModelFailure) -> String {
        var headers = headers(nil, hasBody: true, streams: false, closes: false)
        headers.replaceOrAdd(name: "content-type", value: MultipartForm.contentType)
        do throws(ModelFailure) {
            let call = HTTPCall(method: "POST", url: address("/files"), headers: headers, body: form.bytes)
            let body = try json(try await exchange(call, limit), bodies: bodies)
            guard let file = RemoteID.read(body["id"]) else {
                throw ModelFailure(.invalidReply, "\(base.shown) answered an upload without the file's name")
            }
            return file
        } catch {
            // A file is no batch: nothing is charged for it.
            throw BatchDownload.unpaid(error)
        }
    }

    private func makeBatch(
        of file: String, _ endpoint: String, _ label: String, bodies: [JSONValue]?, _ limit: CallLimit
    ) async throws(ModelFailure) -> RemoteBatch {
        let body: JSONValue = [
            "input_file_id": .string(file), "endpoint": .string(endpoint), "completion_window": "24h",
            "metadata": .object([.init(OpenAIBatch.labelKey, .string(label))]),
        ]
        let call = HTTPCall(
            method: "POST", url: address("/batches"), headers: headers(nil, hasBody: true, streams: false, closes: false),
            body: body.utf8(sorted: false))
        do throws(ModelFailure) {
            let answer = try await exchange(call, limit)
            do throws(ModelFailure) {
                return try batch(in: try json(answer, bodies: bodies)).remote
            } catch {
                throw error.ofSubmission(status: answer.status)
            }
        } catch {
            if !error.isMaybePaid { await removeFile(file, limit) }
            throw error
        }
    }

    func removeFile(_ file: String, _ limit: CallLimit) async {
        _ = try? await exchange("DELETE", "/files/\(RemoteID.escaped(file))", limit)
    }
}

extension OpenAIProvider {
    /// How a batch stands.
    package func batch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
        do throws(ModelFailure) {
            return .success(try await describe(id, CallLimit(timeout: timeout)).remote)
        } catch {
            return .failure(error)
        }
    }

    /// Gives a batch up. One that has ended already comes back as it is.
    package func cancelBatch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
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
    package func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async {
        let limit = CallLimit(timeout: timeout)
        guard let file = try? await describe(batch.id, limit).inputFile else { return }
        await removeFile(file, limit)
    }

    /// The outcome, with what the server said of a failure, without what the request says.
    package func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome {
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

extension OpenAIProvider {
    /// The most pages of the list that are read; each has 100 batches.
    private static let maxPages = 100

    /// The batches that bear the label. Where none does, those that bear nothing at all (there are servers that keep no metadata) and
    /// whose input file has the label's name; last, and uncertain, those of as many requests whose file has no name.
    ///
    /// Those that were refused come last.
    package func findBatches(
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

extension OpenAIProvider {
    /// Reads a batch's output file and its error file.
    ///
    /// How many vectors an `embed` request is to be answered with, and how long they are to be, is not known here: that is the caller's
    /// to check.
    package func readResults(
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
