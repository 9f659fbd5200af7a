import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore
import Crypto

/// Stores the body that makes one of Anthropic's batches as it arrives, and checks that it is a list of requests. No more than one request
/// and some pieces of it are in memory.
///
/// What a request asks for is not looked at: what is wrong with one becomes its result.
struct BatchUpload {
    private var writer: FileWriter
    private var reader = BatchRequestReader(form: .messages)
    private var ids = BatchRequestIDs()
    private var hash = SHA256()

    /// As Anthropic has it.
    static let largest: Int64 = 256 * 1_048_576
    /// Some pieces, and what comes from the connection at once.
    private static let memory = 3 * FileStore.pieceLength

    init(_ files: FileStore, _ head: RequestHead) {
        writer = FileWriter(files, key: head.caller.keyID, largest: Self.largest)
    }

    /// Reads the whole body.
    /// - Returns: a file that is not complete yet, its length, the number of requests, and the digest of the body.
    /// - Throws: `GatewayError`. Then nothing of it is left.
    func run(_ exchange: Exchange) async throws -> (file: Int64, bytes: Int64, requests: Int, digest: [UInt8]) {
        var upload = self
        // One request may be as long as the body.
        let length = exchange.head.header("content-length").flatMap { Int($0) } ?? .max
        let held = Self.memory + min(max(0, length), JobLimits.maxRequestBytes)
        do {
            try await exchange.source.pieces(exchange.response, atMost: Int(Self.largest), holding: held) { bytes in
                try await upload.take(Array(bytes))
            }
            try upload.check(upload.reader.finish())
            let file = try await upload.writer.finish()
            return (file, upload.writer.bytes, upload.reader.count, Array(upload.hash.finalize()))
        } catch {
            await upload.writer.discard()
            switch error {
            case let error as BatchLineError: throw error.refusal
            case let error as StoreError: throw GatewayError(error)
            default: throw error
            }
        }
    }

    private mutating func take(_ bytes: [UInt8]) async throws {
        hash.update(data: bytes)
        try check(reader.feed(bytes))
        try await writer.add(bytes)
    }

    private mutating func check(_ lines: [BatchRequestReader.Line]) throws(BatchLineError) {
        for line in lines {
            let request = try line.get()
            guard ids.insert(request.customID) else { throw BatchLineError.duplicate(request.customID, line: request.line) }
        }
    }
}
