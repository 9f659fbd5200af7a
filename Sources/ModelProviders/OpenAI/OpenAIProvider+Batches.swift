import JobModel
import ModelCalls
import NIOHTTP1

/// OpenAI's Files and Batches (protocols.md 3.5, 3.6).
extension OpenAIProvider: BatchProvider {
    /// A chat or embeddings request's line, in bytes. Models that answer by the responses API alone are sent to it where the provider is
    /// configured so (`api: responses`), or was told by a live answer.
    public func batchSize(of item: BatchItem) -> Result<Int, ModelFailure> {
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
    public func submitBatch(_ items: [BatchItem], label: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
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
        let chat = habits.chatForm(of: model) ?? ChatForm(hasCompletionLimit: true, usesResponses: api == .responses)
        return OpenAIBatchForm(
            chat: request.kind.isBatchable ? nil : chat, format: habits.embeddingFormat(of: model), limits: capabilities)
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
