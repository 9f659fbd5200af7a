import AgentQueueModel

/// A batch as an OpenAI-compatible server describes it (protocols.md 3.6).
package struct OpenAIBatch: BatchDescription {
    /// The member of a batch's metadata that holds its label.
    static let labelKey = "agent_queue"

    /// The same in our words.
    package let remote: RemoteBatch
    /// The label that it was made with; nil where it bears none.
    let label: String?
    /// Whether it bears anything that who made it gave it: a server may keep nothing of that.
    let hasMetadata: Bool
    /// The name of its input file.
    let inputFile: String?

    /// Reads a description; nil where it is none.
    /// - Parameters:
    ///   - url: the provider's base URL, for a refusal's sentence.
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
        // What it answered is told to be there, and is not yet: to read its results now would be to lose them.
        case "completed" where isAnswered && output == nil && now < expiresAt ?? 0: standing = .inProgress
        case "completed", "expired", "cancelled", "canceled": standing = .ended
        // Of one that failed half way, what it answered was charged for.
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

    /// The most errors that a sentence tells of.
    private static let maxErrors = 3

    /// Why a batch was refused as a whole. What is said of a line may quote it, and is left out.
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

/// How the requests of one batch are written: its lines all go to one endpoint (protocols.md 3.6).
struct OpenAIBatchForm: Sendable {
    /// How chats are written; nil for embeddings.
    let chat: ChatForm?
    /// How vectors are asked for.
    let format: EmbeddingFormat
    /// What one embeddings request may hold.
    let limits: ProviderCapabilities

    /// The endpoint, by the name that it has at OpenAI, wherever the server is.
    var endpoint: String {
        switch chat {
        case nil: "/v1/embeddings"
        case let form?: form.usesResponses ? "/v1/responses" : "/v1/chat/completions"
        }
    }

    /// Appends a request's line, its end included.
    /// - Throws: `ModelFailure` (`permanent`, not sent), where the request cannot be sent in a batch.
    func write(_ item: BatchItem, to bytes: inout [UInt8]) throws(ModelFailure) {
        let line: JSONValue = [
            "custom_id": .string(item.id), "method": "POST", "url": .string(endpoint), "body": try body(of: item.request),
        ]
        line.write(to: &bytes, sorted: false)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// How many of what a batch's capacity counts a request has.
    static func count(of request: ModelRequest) -> Int {
        request.kind.isBatchable ? EmbeddingCall.inputs(of: request).count : 1
    }

    private func body(of request: ModelRequest) throws(ModelFailure) -> JSONValue {
        if let form = chat {
            let chat = try ChatRequest(request)
            return form.usesResponses ? try ResponsesRequest(chat).body(streams: false) : chat.body(form, streams: false)
        }
        let calls = EmbeddingCall.plan([(0, request)], limits)
        guard let call = calls.first else { throw ModelFailure.unsent("the request holds no input to embed") }
        guard calls.count == 1 else { throw ModelFailure.unsent("the request holds more inputs than one call may, and a batch makes one") }
        return call.body(format)
    }
}

/// Reads the lines of a batch's output and error files (protocols.md 3.6): each answer by the same rules as a live one.
struct OpenAIBatchResult: Sendable {
    /// What the requests asked.
    let kind: JobKind
    /// The provider's base URL, without what may be secret in it.
    let url: String
    let secrets: [String]

    /// What a line says; nil where it names no item.
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
            return BatchItemResult(id: id, outcome: .reply(try reply(body, requestID)))
        } catch {
            // Its sentences are our own.
            var failure = error
            failure.message = Redaction.line("\(url) \(error.message)")
            failure.requestID = failure.requestID ?? requestID
            return BatchItemResult(id: id, outcome: .failure(failure))
        }
    }

    private func reply(_ body: JSONValue, _ requestID: String?) throws(ModelFailure) -> ModelReply {
        if kind.isBatchable { return try OpenAIReply.embeddings(body, count: nil, dimensions: nil, requestID: requestID) }
        let isResponse = body["choices"] == nil && body["output"] != nil
        return try OpenAIReply.chat(isResponse ? ResponsesReply.chat(body) : body, requestID: requestID)
    }

    /// An error, classed as a live answer's. Without the request at hand, its sentence holds none of the server's words but codes.
    private func failed(_ id: String, status: Int, _ error: OpenAIError?, requestID: String?) -> BatchItemResult {
        var failure = OpenAIErrorClass.failure(
            HTTPAnswer(status: status), error: error?.withoutWords, url: url, redaction: Redaction(secrets: secrets), now: 0)
        failure.requestID = requestID
        return failed(id, failure, error)
    }

    private func failed(_ id: String, _ failure: ModelFailure, _ error: OpenAIError?) -> BatchItemResult {
        BatchItemResult(id: id, outcome: .failure(failure), remark: error?.message)
    }

    /// What cannot be read may have been charged for.
    private func invalid(_ words: String, _ id: String) -> BatchItemResult {
        BatchItemResult(id: id, outcome: .failure(ModelFailure(.invalidReply, "\(url) \(words)", calls: 1, isMaybePaid: true)))
    }
}
