import AgentQueueDialects
import AgentQueueModel
import NIOHTTP1

/// Anthropic's Message Batches.
extension AnthropicProvider: HTTPBatchProvider {
    /// The size of a request in a batch, in bytes.
    package func batchSize(of item: BatchItem) -> Result<Int, ModelFailure> {
        do throws(ModelFailure) {
            try BatchRules.check(item)
            var form = AnthropicBatchForm()
            let empty = form.bytes.count
            try form.add(item.id, try translated(item.request))
            // The comma before it included.
            let size = form.bytes.count - empty + 1
            try BatchRules.check(items: 1, bytes: size, batchCapacity)
            return .success(size)
        } catch {
            return .failure(error)
        }
    }

    /// Creates a batch. The API has no place for a label, so ``findBatches(label:count:since:timeout:)`` goes by count and time.
    ///
    /// The batch may exist even after a failure, if that says `isMaybePaid`.
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
                method: "POST", url: connection.address(Self.batchesPath),
                headers: headers(form.hasSampling ? Self.samplingVersion : version, hasBody: true), body: bytes)
            return .success(try submitted(try await connection.exchange(call, limit), bodies: bodies))
        } catch {
            return .failure(error)
        }
    }

    private func translated(_ request: ModelRequest) throws(ModelFailure) -> AnthropicRequest {
        if let native = try BatchRules.native(request, form: .messages) {
            // The requests of a batch share their headers.
            guard native.betas.isEmpty, (native.version ?? Self.samplingVersion) == Self.samplingVersion else {
                throw ModelFailure.unsent("the request has an anthropic-version or anthropic-beta of its own, and a batch has one for all")
            }
            return try AnthropicRequest(native, model: request.target.model)
        }
        return try AnthropicRequest(
            request,
            maxOutputTokens: maxOutputTokens, promptCache: promptCache, refused: quirks.refusedSchemas(of: request.target.model))
    }
}

/// What Anthropic's batch API does its own way.
extension AnthropicProvider {
    package static var batchesPath: String { "/messages/batches" }
    package static var listCursor: String { "after_id" }
    package var plainHeaders: HTTPHeaders { headers(version, hasBody: false) }

    package func describe(_ body: JSONValue) -> RemoteBatch? {
        AnthropicBatch.read(body, now: now(), results: { resultsAddress($0, of: $1) })
    }

    package static func isError(_ body: JSONValue) -> Bool { body["type"]?.string == "error" }

    package func refusal(_ answer: HTTPAnswer, bodies: [JSONValue]?) -> ModelFailure {
        let parsed = try? JSONValue.parseLeniently(answer.body)
        let error = parsed.flatMap { OpenAIError(body: $0) }
        var failure = AnthropicErrorClass.failure(
            answer, error: error, url: connection.shown, redaction: connection.redaction(of: bodies ?? []), now: now())
        if bodies == nil {
            // Only the server's words tell that an account is empty: they decide what kind of failure it is, but are not shown.
            failure.message =
                AnthropicErrorClass.failure(
                    answer, error: error?.withoutWords, url: connection.shown, redaction: connection.redaction(), now: now()
                ).message
        }
        failure.requestID = failure.requestID ?? AnthropicReply.printable(parsed?["request_id"]?.string)
        return failure
    }

    package func requestID(_ answer: HTTPAnswer) -> String? { AnthropicReply.printable(answer.headers.first(name: "request-id")) }

    package func limits(_ answer: HTTPAnswer) -> ObservedLimits? { ObservedLimits.anthropic(answer.headers, now: now()) }

    /// Anthropic keeps nothing of a batch but its results, and deletes those itself.
    package func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async {}
}

extension AnthropicProvider {
    /// The batches created since then with the same number of requests, the newest first. None of them is certain.
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
}

extension AnthropicProvider {
    /// Reads a batch's results.
    package func readResults(
        of batch: RemoteBatch, kind: JobKind, timeout: Int64, _ take: @Sendable ([BatchItemResult]) async throws -> Void
    ) async throws -> ModelFailure? {
        let reader = AnthropicBatchResult(url: connection.shown)
        let download = download(resultsAddress(batch.sources.first, of: batch.id), result: reader.read)
        return try await download.run(CallLimit(timeout: timeout), take)
    }

    /// The address of a batch's results: the one that the server names, if it is on the server itself, or else the API's usual one. The key
    /// is sent nowhere else, whatever the server, or a proxy in front of it, says.
    func resultsAddress(_ said: String?, of id: String) -> String {
        let usual = connection.address("\(Self.batchesPath)/\(RemoteID.escaped(id))/results")
        guard let said, said.utf8.count <= 2_048, said.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            return usual
        }
        let origin = Self.origin(of: connection.shown)
        let address = BaseURL(said.hasPrefix("/") && !said.hasPrefix("//") ? origin + said : said)
        guard address.shown.hasPrefix(origin + "/"), address.credentials == nil else { return usual }
        return address.shown + (address.query.isEmpty ? connection.base.query : address.query)
    }

    /// Scheme, host and port.
    private static func origin(of url: String) -> String {
        guard let mark = url.firstRange(of: "://") else { return url }
        return String(url[..<mark.upperBound] + url[mark.upperBound...].prefix { $0 != "/" })
    }
}
