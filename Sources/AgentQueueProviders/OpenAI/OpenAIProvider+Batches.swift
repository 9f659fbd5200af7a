import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

/// OpenAI's Files and Batches.
extension OpenAIProvider: HTTPBatchProvider {
    /// The size of a chat or embeddings request's line, in bytes. Models that only have the responses API get it if the provider is
    /// configured so (`api: responses`), or if a live answer has shown it.
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

    /// Uploads the requests as a file, `LABEL.jsonl`, and creates a batch of it with the label in its metadata.
    ///
    /// The batch may exist even after a failure, if that says `isMaybePaid`. After any other failure the file is removed again, if
    /// possible.
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

    /// The name of a batch's input file, which identifies the batch even at servers that keep no metadata.
    static func fileName(of label: String) -> String { "\(label).jsonl" }

    private func form(for request: ModelRequest) -> OpenAIBatchForm {
        let model = request.target.model
        // All of OpenAI's models know the newer limit. A batch would find out only after each of its requests had been refused.
        let chat = quirks.chatForm(of: model) ?? ChatForm(hasCompletionLimit: true, usesResponses: api == .responses)
        return OpenAIBatchForm(
            chat: request.kind.isBatchable ? nil : chat, refused: quirks.refusedSchemas(of: model),
            format: quirks.embeddingFormat(of: model), limits: capabilities)
    }

    /// Uploads a batch's input, and returns the id of the file.
    private func send(_ form: MultipartForm, bodies: [JSONValue]?, _ limit: CallLimit) async throws(ModelFailure) -> String {
        var headers = headers(nil, hasBody: true, streams: false, closes: false)
        headers.replaceOrAdd(name: "content-type", value: MultipartForm.contentType)
        do throws(ModelFailure) {
            let call = HTTPCall(method: "POST", url: connection.address("/files"), headers: headers, body: form.bytes)
            let body = try document(try await connection.exchange(call, limit), bodies: bodies)
            guard let file = RemoteID.read(body["id"]) else {
                throw ModelFailure(.invalidReply, "\(connection.shown) answered an upload without the file's name")
            }
            return file
        } catch {
            // A file is not a batch, so nothing is charged.
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
            method: "POST", url: connection.address(Self.batchesPath), headers: headers(nil, hasBody: true, streams: false, closes: false),
            body: body.utf8(sorted: false))
        do throws(ModelFailure) {
            return try submitted(try await connection.exchange(call, limit), bodies: bodies)
        } catch {
            if !error.isMaybePaid { await removeFile(file, limit) }
            throw error
        }
    }

    /// Removes a file as far as that goes: one that stays costs nothing, and nobody waits for it.
    private func removeFile(_ file: String, _ limit: CallLimit) async {
        _ = try? await fetch("DELETE", "/files/\(RemoteID.escaped(file))", limit)
    }
}

/// What OpenAI's batch API does its own way.
extension OpenAIProvider {
    package static var batchesPath: String { "/batches" }
    package static var listCursor: String { "after" }
    package var plainHeaders: HTTPHeaders { headers(nil, hasBody: false, streams: false, closes: false) }

    package func describe(_ body: JSONValue) -> OpenAIBatch? {
        OpenAIBatch(body, url: connection.shown, redaction: connection.redaction(), now: now())
    }

    /// A batch that was refused has `errors` of its own: that is no error of the call.
    package static func isError(_ body: JSONValue) -> Bool {
        body["id"] == nil && body["data"]?.array == nil && OpenAIError(body: body) != nil
    }

    package func refusal(_ answer: HTTPAnswer, bodies: [JSONValue]?) -> ModelFailure {
        let error = (try? JSONValue.parseLeniently(answer.body)).flatMap { OpenAIError(body: $0) }
        return OpenAIErrorClass.failure(
            answer, error: error, url: connection.shown, redaction: connection.redaction(of: bodies ?? []), hidesWords: bodies == nil,
            now: now())
    }

    package func requestID(_ answer: HTTPAnswer) -> String? { OpenAIErrorClass.requestID(answer.headers) }

    package func limits(_ answer: HTTPAnswer) -> ObservedLimits? { .openAI(answer.headers) }

    /// Removes a batch's input file. The output stays: it is the owner's record.
    package func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async {
        let limit = CallLimit(timeout: timeout)
        // A batch that cannot be read names no file.
        guard let file = try? await description(of: batch.id, limit).inputFile else { return }
        await removeFile(file, limit)
    }
}

extension OpenAIProvider {
    /// The batches with the label. If there are none: those without any metadata (some servers keep none) whose input file is named after
    /// the label, then, uncertain, those with the same number of requests whose file has no name.
    ///
    /// Refused batches come last.
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

    /// The name of a batch's input file; nil if the server does not know one.
    private func fileName(of batch: OpenAIBatch, _ limit: CallLimit) async throws(ModelFailure) -> String? {
        guard let file = batch.inputFile else { return nil }
        do throws(ModelFailure) {
            let name = try await fetch("GET", "/files/\(RemoteID.escaped(file))", limit)["filename"]?.string
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
    /// How many vectors an `embed` request must be answered with, and of what length, is not known here: the caller checks that.
    package func readResults(
        of batch: RemoteBatch, kind: JobKind, timeout: Int64, _ take: @Sendable ([BatchItemResult]) async throws -> Void
    ) async throws -> ModelFailure? {
        let limit = CallLimit(timeout: timeout)
        let reader = OpenAIBatchResult(kind: kind, url: connection.shown, secrets: connection.secrets)
        var first: ModelFailure?
        for file in batch.sources where RemoteID.isUsable(file) {
            let download = download(connection.address("/files/\(RemoteID.escaped(file))/content"), result: reader.read)
            guard let failure = try await download.run(limit, take) else { continue }
            first = first ?? failure
            // The other file may still be readable, if there is time left.
            if [.cancelled, .shutdown, .timedOut].contains(failure.failure) { break }
        }
        return first
    }
}
