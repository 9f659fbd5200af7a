import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore
import HTTPTypes

/// Files of clients: uploads, lists, contents.
struct FileHandler: Sendable {
    let files: FileStore

    /// How long the requests of a batch are kept unless the client says otherwise, in milliseconds: 30 days, as at OpenAI.
    private static let batchLifetime: Int64 = 30 * 86_400_000

    init(_ files: FileStore) { self.files = files }

    var routes: [Route] {
        [
            Route(.post, "/v1/files", scope: .batch, content: .form) { try await upload($0) },
            Route(.get, "/v1/files", scope: .batch) { try await list($0) },
            Route(.get, "/v1/files/{id}", scope: .batch) { try await show($0) },
            Route(.delete, "/v1/files/{id}", scope: .batch) { try await delete($0) },
            Route(.get, "/v1/files/{id}/content", scope: .batch) { try await content($0) },
        ]
    }

    private func upload(_ exchange: Exchange) async throws {
        let head = exchange.head
        let (form, file, bytes) = try await FileUpload(files, head).run(exchange)
        do {
            let purpose = form.purpose.flatMap(FilePurpose.init(rawValue:)) ?? .userData
            let new = NewFile(
                name: form.filename ?? "", purpose: purpose, mediaType: form.mediaType,
                lifetime: form.lifetime.map { $0 * 1_000 } ?? (purpose == .batch ? Self.batchLifetime : nil))
            let made = try await files.complete(file, as: new, bytes: bytes)
            try await exchange.send(FileObject(made).json(head.flavour))
        } catch let error as StoreError {
            throw GatewayError(error)
        }
    }

    private func list(_ exchange: Exchange) async throws {
        let head = exchange.head
        let asked: FileListQuery
        do { asked = try FileListQuery(head.query, head.flavour) } catch { throw GatewayError(error) }
        var query = FileQuery(key: head.caller.keyID, limit: asked.limit)
        query.isNewestFirst = asked.isNewestFirst
        if let purpose = asked.purpose {
            guard let known = FilePurpose(rawValue: purpose) else {
                return try await exchange.send(FileObject.list([], hasMore: false, head.flavour))
            }
            query.purpose = known
        }
        if let before = asked.before {
            query.isNewestFirst.toggle()
            query.after = try mark(before, head)
        }
        if let after = asked.after { query.after = try mark(after, head) }
        var (found, hasMore) = try read { try files.list(query) }
        if asked.before != nil { found.reverse() }
        try await exchange.send(FileObject.list(found.map { FileObject($0) }, hasMore: hasMore, head.flavour))
    }

    /// The file that a list goes on from.
    private func mark(_ id: String, _ head: RequestHead) throws(GatewayError) -> Int64 { try file(id, head).id }

    private func show(_ exchange: Exchange) async throws {
        try await exchange.send(FileObject(try file(exchange.head)).json(exchange.head.flavour))
    }

    private func delete(_ exchange: Exchange) async throws {
        let file = try file(exchange.head)
        do { try await files.delete(file.id, key: file.key) } catch let error as StoreError { throw GatewayError(error) }
        try await exchange.send(FileObject.deleted(file.id, exchange.head.flavour))
    }

    private func content(_ exchange: Exchange) async throws {
        let file = try file(exchange.head)
        var fields = HTTPFields()
        // A browser must not show what a client has uploaded, whatever type it claims to have.
        fields[.contentType] = "application/octet-stream"
        fields[.xContentTypeOptions] = "nosniff"
        fields[.contentDisposition] = "attachment"
        fields[.acceptRanges] = "bytes"
        var range = 0..<file.bytes
        var status = 200
        switch ByteRange(exchange.head.header("range"), length: file.bytes) {
        case .whole: break
        case .part(let part):
            (range, status) = (part, 206)
            fields[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.bytes)"
        case .unsatisfiable:
            var fields = HTTPFields.json
            fields[.contentRange] = "bytes */\(file.bytes)"
            let error = GatewayError(.malformed, "The file has \(file.bytes) bytes: ask for a range within them.")
            let body = error.body(exchange.head.flavour, requestID: exchange.head.id.description)
            return try await exchange.response.send(416, fields, body: body)
        }
        fields[.contentLength] = "\(range.count)"
        try await exchange.response.begin(status, fields)
        if exchange.head.method != .head { try await send(range, of: file.id, exchange) }
        try await exchange.response.finish()
    }

    private func send(_ range: Range<Int64>, of file: Int64, _ exchange: Exchange) async throws {
        let length = Int64(FileStore.pieceLength)
        var place = range.lowerBound
        while place < range.upperBound {
            // If the file is removed meanwhile, the connection is cut.
            guard let piece = try files.piece(Int(place / length), of: file) else { throw FailedAfterHead() }
            let start = Int(place % length)
            let end = min(piece.count, start + Int(range.upperBound - place))
            guard start < end else { throw FailedAfterHead() }
            try await exchange.response.write(Array(piece[start..<end]))
            place += Int64(end - start)
        }
    }

    // MARK: Looking up

    private func file(_ head: RequestHead) throws(GatewayError) -> StoredFile { try file(head.parameters["id"] ?? "", head) }

    private func file(_ text: String, _ head: RequestHead) throws(GatewayError) -> StoredFile {
        guard let id = FileObject.id(text), let found = try read({ try files.find(id, key: head.caller.keyID) }) else {
            throw GatewayError(.notFound, "There is no file \(InvalidText.quoted(text)): it was deleted, has expired or is another key's.")
        }
        return found
    }

    private func read<Value>(_ body: () throws -> Value) throws(GatewayError) -> Value {
        do {
            return try body()
        } catch let error as StoreError {
            throw GatewayError(error)
        } catch {
            throw GatewayError(answering: error)
        }
    }
}

extension FileObject {
    init(_ file: StoredFile) {
        self.init(
            id: file.id, name: file.name, purpose: file.purpose.rawValue, mediaType: file.mediaType, bytes: file.bytes,
            createdAt: file.createdAt, expiresAt: file.expiresAt)
    }
}

/// What a `Range` header asks for.
enum ByteRange: Equatable {
    case whole
    case part(Range<Int64>)
    case unsatisfiable

    /// What is no single range of bytes is ignored, as RFC 9110 allows.
    init(_ header: String?, length: Int64) {
        self = .whole
        guard let header, header.hasPrefix("bytes=") else { return }
        let ends = header.dropFirst("bytes=".count).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }) else { return }
        // A number that does not fit is beyond the end of any file.
        let (first, second) = (ends[0].isEmpty ? nil : Int64(ends[0]) ?? .max, ends[1].isEmpty ? nil : Int64(ends[1]) ?? .max)
        switch (first, second) {
        case (nil, nil): break
        case (nil, let count?): self = count == 0 || length == 0 ? .unsatisfiable : .part(length - min(length, count)..<length)
        case (let start?, let last):
            if let last, last < start { return }
            self = start >= length ? .unsatisfiable : .part(start..<min(length - 1, last ?? length) + 1)
        }
    }
}
