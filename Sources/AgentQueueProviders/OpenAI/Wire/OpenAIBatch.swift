import AgentQueueDialects
import AgentQueueModel

/// A batch as an OpenAI-compatible server describes it.
package struct OpenAIBatch: BatchDescription {
    /// The member of a batch's metadata that holds its label.
    static let labelKey = "agent_queue"

    /// The batch, as the queue knows it.
    package let remote: RemoteBatch
    /// The label that it was created with; nil if it has none.
    let label: String?
    /// Whether it has any metadata: some servers keep none.
    let hasMetadata: Bool
    /// The id of its input file.
    let inputFile: String?

    /// Reads a description; nil if it is not one.
    /// - Parameters:
    ///   - url: the provider's base URL, for the message of a refusal.
    ///   - now: wall clock, ms.
    init?(_ body: JSONValue, url: String, redaction: Redaction, now: Int64) {
        guard let id = RemoteID.read(body["id"]), let status = body["status"]?.string else { return nil }
        label = body["metadata"]?[Self.labelKey]?.string
        hasMetadata = body["metadata"]?.members?.isEmpty == false
        inputFile = RemoteID.read(body["input_file_id"])
        let counts = body["request_counts"]
        let output = RemoteID.read(body["output_file_id"])
        let sources = [output, RemoteID.read(body["error_file_id"])].compactMap(\.self)
        let expiresAt = Self.time(body["expires_at"])
        let isAnswered = (counts?["completed"]?.int ?? 0) > 0
        let standing: RemoteBatch.Status
        switch status {
        // Results have been announced but are not there yet. Reading them now would lose them.
        case "completed" where isAnswered && output == nil && now < expiresAt ?? 0: standing = .inProgress
        case "completed", "expired", "cancelled", "canceled": standing = .ended
        // Answers of a batch that failed half way were charged.
        case "failed" where isAnswered || !sources.isEmpty: standing = .ended
        case "failed": standing = .refused(Self.refusal(body["errors"], url: url, redaction))
        default: standing = .inProgress
        }
        let total = counts?["total"]?.int ?? 0
        remote = RemoteBatch(
            id: id, status: standing, count: total > 0 ? total : nil, createdAt: Self.time(body["created_at"]) ?? now, expiresAt: expiresAt,
            sources: sources)
    }

    /// Seconds since 1970, as ms.
    private static func time(_ value: JSONValue?) -> Int64? {
        value?.int.flatMap { (1..<253_402_300_800).contains($0) ? Int64($0) * 1_000 : nil }
    }

    /// How many errors a message names.
    private static let maxErrors = 3

    /// Why a whole batch was refused. Words about a line may quote it, and are left out.
    private static func refusal(_ errors: JSONValue?, url: String, _ redaction: Redaction) -> String {
        let list = errors?["data"]?.array ?? errors?.array ?? []
        let clauses = list.prefix(maxErrors).map { error in
            let line = error["line"]?.int
            let code = BatchRules.code(error["code"]?.string)
            let param = BatchRules.code(error["param"]?.string)
            let words = line == nil ? error["message"]?.string.map { redaction.clean($0) } : nil
            let about = [code, param.map { "'\($0)'" }, words].compactMap { $0?.isEmpty == false ? $0 : nil }.joined(separator: ": ")
            return [line.map { "line \($0)" }, about.isEmpty ? nil : about].compactMap(\.self).joined(separator: ": ")
        }
        let said = clauses.filter { !$0.isEmpty }.joined(separator: "; ")
        let more = list.count > maxErrors ? " (and \(list.count - maxErrors) more)" : ""
        return Redaction.line("\(url) refused the batch: \(said.isEmpty ? "it does not say why" : said + more)")
    }
}

/// How the requests of a batch are written. All its lines go to one endpoint.
struct OpenAIBatchForm: Sendable {
    /// The form of chats; nil for embeddings.
    let chat: ChatForm?
    /// The schemas that the server refuses to follow strictly.
    let refused: RefusedSchemas
    /// The format of vectors.
    let format: EmbeddingFormat
    /// The limits of one embeddings request.
    let limits: ProviderCapabilities

    /// The endpoint by its name at OpenAI, wherever the server is.
    var endpoint: String {
        switch chat {
        case nil: "/v1/embeddings"
        case let form?: form.usesResponses ? "/v1/responses" : "/v1/chat/completions"
        }
    }

    /// Appends a request's line, including its end.
    /// - Throws: `ModelFailure` (`permanent`, not sent) if the request cannot be sent in a batch.
    func write(_ item: BatchItem, to bytes: inout [UInt8]) throws(ModelFailure) {
        let head: JSONValue = ["custom_id": .string(item.id), "method": "POST", "url": .string(endpoint)]
        let body = try written(item.request)
        head.write(to: &bytes, sorted: false)
        bytes.removeLast()
        bytes += Array(#","body":"#.utf8) + body + Array("}\n".utf8)
    }

    /// A request's body: as its client wrote it, if that is of the batch's form.
    private func written(_ request: ModelRequest) throws(ModelFailure) -> [UInt8] {
        guard let chat, let native = try BatchRules.native(request, form: chat.usesResponses ? .responses : .chat) else {
            return try body(of: request).utf8(sorted: false)
        }
        if !native.isRequired {
            let translated = try ChatRequest(request, refused: refused)
            guard !OpenAIProvider.isRefused(request, translated, chat) else { return try body(of: request).utf8(sorted: false) }
        }
        return BatchRules.oneLine(try NativeCall(native, model: request.target.model).bytes(streams: false, keepsStream: false))
    }

    /// How much of a batch's capacity a request takes.
    static func count(of request: ModelRequest) -> Int {
        request.kind.isBatchable ? EmbeddingCall.inputs(of: request).count : 1
    }

    private func body(of request: ModelRequest) throws(ModelFailure) -> JSONValue {
        if let form = chat {
            let chat = try ChatRequest(request, refused: refused)
            return form.usesResponses ? try ResponsesRequest(chat).body(streams: false) : chat.body(form, streams: false)
        }
        let calls = EmbeddingCall.plan([(0, request)], limits)
        guard let call = calls.first else { throw ModelFailure.unsent("the request holds no input to embed") }
        guard calls.count == 1 else { throw ModelFailure.unsent("the request holds more inputs than one call may, and a batch makes one") }
        return call.body(format)
    }
}

/// Reads the lines of a batch's output and error files. Each answer follows the same rules as a live one.
struct OpenAIBatchResult: Sendable {
    /// The kind of the requests.
    let kind: JobKind
    /// The provider's base URL, without anything secret.
    let url: String
    let secrets: [String]

    /// Reads a line; nil if it names no item.
    func read(_ line: JSONValue) -> BatchItemResult? {
        guard let id = line["custom_id"]?.string else { return nil }
        if let response = line["response"], response.members != nil {
            return read(response, id)
        }
        guard let error = OpenAIError(body: line) else {
            return invalid("answered a request of the batch with neither a response nor an error", id)
        }
        switch error.code {
        case "batch_expired":
            return failed(id, ModelFailure(.expired, "the batch at \(url) ended before the request's turn (batch_expired)"), error)
        case "batch_cancelled", "batch_canceled":
            return failed(id, ModelFailure(.cancelled, "the batch at \(url) was cancelled before the request's turn"), error)
        default: return failed(id, status: 200, error, requestID: nil)
        }
    }

    private func read(_ response: JSONValue, _ id: String) -> BatchItemResult {
        let requestID = RemoteID.read(response["request_id"])
        let status = response["status_code"]?.int ?? 200
        guard let body = response["body"], body.members != nil || body.array != nil else {
            guard (200..<300).contains(status) else { return failed(id, status: status, nil, requestID: requestID) }
            return invalid("answered a request of the batch without a body", id)
        }
        guard (200..<300).contains(status) else { return failed(id, status: status, OpenAIError(body: body), requestID: requestID) }
        if let error = OpenAIError.inside(body) { return failed(id, status: status, error, requestID: requestID) }
        do throws(ModelFailure) {
            let native = BatchItemResult.Native(form: Self.isResponse(body) ? .responses : .chat, body: body)
            return BatchItemResult(id: id, outcome: .reply(try reply(body, requestID)), native: kind.isBatchable ? nil : native)
        } catch {
            // These messages are our own.
            var failure = error
            failure.message = Redaction.line("\(url) \(error.message)")
            failure.requestID = failure.requestID ?? requestID
            return BatchItemResult(id: id, outcome: .failure(failure))
        }
    }

    private static func isResponse(_ body: JSONValue) -> Bool { body["choices"] == nil && body["output"] != nil }

    private func reply(_ body: JSONValue, _ requestID: String?) throws(ModelFailure) -> ModelReply {
        if kind.isBatchable { return try OpenAIReply.embeddings(body, count: nil, dimensions: nil, requestID: requestID) }
        return try OpenAIReply.chat(Self.isResponse(body) ? ResponsesReply.chat(body) : body, requestID: requestID)
    }

    /// An error, classed like a live one. The request is not at hand, so of the server's words only codes are shown.
    private func failed(_ id: String, status: Int, _ error: OpenAIError?, requestID: String?) -> BatchItemResult {
        var failure = OpenAIErrorClass.failure(
            HTTPAnswer(status: status), error: error, url: url, redaction: Redaction(secrets: secrets), hidesWords: true, now: 0)
        failure.requestID = requestID
        return failed(id, failure, error)
    }

    private func failed(_ id: String, _ failure: ModelFailure, _ error: OpenAIError?) -> BatchItemResult {
        BatchItemResult(id: id, outcome: .failure(failure), remark: error?.message)
    }

    /// An answer that cannot be read may have been charged.
    private func invalid(_ words: String, _ id: String) -> BatchItemResult {
        BatchItemResult(id: id, outcome: .failure(ModelFailure(.invalidReply, "\(url) \(words)", calls: 1, isMaybePaid: true)))
    }
}
