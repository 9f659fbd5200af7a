import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import Crypto
import HTTPTypes

/// Batches of clients of both APIs: making them, showing and cancelling them. What happens to their requests is
/// the affair of ``BatchKeeper``, which the store wakes.
struct BatchHandler: Sendable {
    /// Whose batches a route is for. Neither API shows those of the other.
    enum API: Sendable {
        case openAI
        case anthropic

        var flavour: APIFlavour { self == .openAI ? .openAI : .anthropic }
        var prefix: String { self == .openAI ? "batch_" : "msgbatch_" }
        var path: String { self == .openAI ? "/v1/batches" : "/v1/messages/batches" }
    }

    let store: QueueStore
    let settings: ServeSettings
    /// This process, as registered.
    let server: Int64

    /// How long the requests of one of Anthropic's batches have to begin, in milliseconds.
    private static let day: Int64 = 86_400_000
    /// How long the body of one of Anthropic's batches is kept if its batch is never made.
    private static let inputLifetime = 2 * day

    var routes: [Route] {
        routes(of: .openAI) + routes(of: .anthropic) + [
            Route(.post, "/v1/batches", scope: .batch, content: .json) { try await createOfFile($0) },
            Route(.post, "/v1/messages/batches", scope: .batch, content: .json) { try await createOfBody($0) },
            Route(.delete, "/v1/messages/batches/{id}", scope: .batch) { try await delete($0) },
            Route(.get, "/v1/batches/{id}/results", scope: .batch) { try await sendResults($0) },
            Route(.get, "/v1/messages/batches/{id}/results", scope: .batch) { try await sendMessageResults($0) },
        ]
    }

    private func routes(of api: API) -> [Route] {
        [
            Route(.get, api.path, scope: .batch) { try await list(api, $0) },
            Route(.get, "\(api.path)/{id}", scope: .batch) { exchange in
                try await exchange.send(object(try batch(api, exchange.head), exchange.head))
            },
            Route(.post, "\(api.path)/{id}/cancel", scope: .batch) { try await cancel(api, $0) },
        ]
    }

    // MARK: Making

    private func createOfFile(_ exchange: Exchange) async throws {
        let head = exchange.head
        let asked: BatchCreation
        let digest: [UInt8]
        do {
            let body = try await exchange.body()
            asked = try BatchCreation(body.bytes)
            digest = Self.digest(try JSONValue.parse(body.bytes).utf8(sorted: true))
        }
        guard let id = FileObject.id(asked.inputFile), let file = try read({ try store.files.find(id, key: head.caller.keyID) }) else {
            throw GatewayError(
                .notFound,
                "There is no file \(InvalidText.quoted(asked.inputFile)): it was deleted, has expired or is another key's.",
                param: "input_file_id")
        }
        guard file.purpose == .batch else {
            throw GatewayError(
                .malformed, "The file \(asked.inputFile) is not for batches: upload it with the purpose batch.", param: "input_file_id")
        }
        var new = try batch(.openAI, asked.form, file: id, digest, head)
        (new.window, new.lifetime) = (asked.window, asked.duration)
        new.metadata = asked.metadata
        new.outputLifetime = asked.outputLifetime
        try await create(new, exchange)
    }

    private func createOfBody(_ exchange: Exchange) async throws {
        let head = exchange.head
        let (file, bytes, requests, digest) = try await BatchUpload(store.files, head).run(exchange)
        do {
            var new = try batch(.anthropic, .messages, file: file, digest, head)
            new.lines = requests
            _ = try await store.files.complete(
                file,
                as: NewFile(name: "", purpose: .messageBatch, mediaType: "application/json", lifetime: Self.inputLifetime), bytes: bytes)
            try await create(new, exchange)
        } catch {
            // No batch has it, unless its client is being told. What cannot be removed now is removed by pruning.
            if !exchange.response.hasBegun { _ = try? await store.files.delete(file, key: head.caller.keyID) }
            throw error
        }
    }

    /// - Parameter digest: of the body.
    private func batch(
        _ api: API, _ form: RequestForm, file: Int64, _ digest: [UInt8], _ head: RequestHead
    ) throws(RequestError) -> NewClientBatch {
        let headers = try CallHeaders(head.header)
        let said =
            ["agent-queue/batch/1", "\(head.caller.keyID)", api.path, headers.version ?? "", headers.betas.joined(separator: ",")]
        var new = NewClientBatch(
            publicID: api.prefix + head.id.description.dropFirst("req_".count), key: head.caller.keyID, form: form, inputFile: file,
            attach: Self.digest(said.flatMap { Array($0.utf8) + [0] } + digest), window: "24h", lifetime: Self.day, server: server)
        new.version = headers.version
        new.betas = headers.betas
        new.idempotencyKey = headers.idempotencyKey
        new.isRetry = headers.retryCount > 0
        new.windows.idempotency = settings.idempotency.milliseconds
        new.windows.ended = settings.attach.milliseconds
        return new
    }

    private func create(_ new: NewClientBatch, _ exchange: Exchange) async throws {
        let made: (batch: ClientBatch, isAttached: Bool)
        do {
            made = try await store.clientBatches.create(new)
        } catch is IdempotencyConflict {
            throw GatewayError(
                .idempotencyConflict, "The Idempotency-Key belongs to another batch: use a new one for this request.")
        } catch let error as StoreError where error.kind == .notFound {
            throw GatewayError(.notFound, "The input file was removed: upload it again.", param: "input_file_id")
        } catch let error as StoreError {
            throw GatewayError(error)
        }
        var fields = HTTPFields.json
        if made.isAttached {
            exchange.notes.update { $0.attached = new.idempotencyKey != nil ? .idempotency : new.isRetry ? .retry : .lost }
            fields.append(contentsOf: HTTPFields([("x-agent-queue-attached", "true")]))
        }
        try await exchange.response.send(200, fields, body: object(made.batch, exchange.head).utf8(sorted: false))
        // Otherwise the client finds its batch once more when it asks again, which does no harm.
        try? await store.clientBatches.answered(made.batch.id)
    }

    private static func digest(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    // MARK: Showing

    private func list(_ api: API, _ exchange: Exchange) async throws {
        let head = exchange.head
        let asked: BatchListQuery
        do { asked = try BatchListQuery(head.query, api.flavour) } catch { throw GatewayError(error) }
        // A page before a batch is read from it towards the newest, and shown like any other.
        let isNewestFirst = asked.before == nil
        let mark = try (asked.before ?? asked.after).map { try batch(api, named: $0, head).id }
        var (found, hasMore) = try read {
            try store.clientBatches.list(
                key: head.caller.keyID, isAnthropic: api == .anthropic, limit: asked.limit, after: mark, isNewestFirst: isNewestFirst)
        }
        if !isNewestFirst { found.reverse() }
        try await exchange.send(BatchObject.list(found.map { object($0, head) }, hasMore: hasMore, api.flavour))
    }

    private func cancel(_ api: API, _ exchange: Exchange) async throws {
        let batch = try batch(api, exchange.head)
        let cancelled: ClientBatch?
        do {
            cancelled = try await store.clientBatches.cancel(batch.publicID, key: batch.key)
        } catch let error as StoreError {
            throw GatewayError(error)
        }
        try await exchange.send(object(cancelled ?? batch, exchange.head))
    }

    private func delete(_ exchange: Exchange) async throws {
        let batch = try batch(.anthropic, exchange.head)
        guard batch.state.isFinal else {
            throw GatewayError(.malformed, "The batch \(batch.publicID) has not ended: cancel it, or wait for its end, and delete it then.")
        }
        do {
            try await store.clientBatches.delete(batch.publicID, key: batch.key)
        } catch let error as StoreError {
            throw GatewayError(error)
        }
        try await exchange.send(BatchObject.deleted(batch.publicID))
    }

    // MARK: Looking up

    /// The batch that the path names.
    func batch(_ api: API, _ head: RequestHead) throws(GatewayError) -> ClientBatch {
        try batch(api, named: head.parameters["id"] ?? "", head)
    }

    private func batch(_ api: API, named id: String, _ head: RequestHead) throws(GatewayError) -> ClientBatch {
        guard let batch = try read({ try store.clientBatches.find(id, key: head.caller.keyID) }),
            (batch.form == .messages) == (api == .anthropic)
        else {
            throw GatewayError(.notFound, "There is no batch \(InvalidText.quoted(id)): it was deleted, has expired or is another key's.")
        }
        return batch
    }

    func read<Value>(_ body: () throws -> Value) throws(GatewayError) -> Value {
        do {
            return try body()
        } catch let error as StoreError {
            throw GatewayError(error)
        } catch {
            throw GatewayError(answering: error)
        }
    }

    /// A batch as its client sees it.
    func object(_ batch: ClientBatch, _ head: RequestHead) -> JSONValue {
        // Clients of a Unix socket know where they are; so they do with a path alone.
        var base = settings.publicURL ?? head.address ?? ""
        if base.hasSuffix("/") { base.removeLast() }
        return BatchObject(batch).json(resultsURL: "\(base)\(API.anthropic.path)/\(batch.publicID)/results")
    }
}

extension BatchObject {
    init(_ batch: ClientBatch) {
        self.init(
            id: batch.publicID, form: batch.form, status: Status(batch.state), inputFile: batch.inputFile, createdAt: batch.createdAt,
            expiresAt: batch.expiresAt)
        counts = Counts(
            total: batch.counts.total, succeeded: batch.counts.succeeded, failed: batch.counts.failed,
            cancelled: batch.counts.cancelled, expired: batch.counts.expired)
        (outputFile, errorFile) = (batch.outputFile, batch.errorFile)
        (window, metadata, errors, model) = (batch.window, batch.metadata, batch.errors, batch.model)
        usage = batch.state.isFinal ? batch.usage : nil
        (inProgressAt, finalizingAt) = (batch.inProgressAt, batch.finalizingAt)
        (cancellingAt, endedAt) = (batch.cancellingAt, batch.endedAt)
    }
}

extension BatchObject.Status {
    init(_ state: ClientBatch.State) {
        self =
            switch state {
            case .validating: .validating
            case .inProgress: .inProgress
            case .finalizing: .finalizing
            case .completed: .completed
            case .failed: .failed
            case .expired: .expired
            case .cancelling: .cancelling
            case .cancelled: .cancelled
            }
    }
}
