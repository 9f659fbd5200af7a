import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore
import NIOCore

/// Stores a file piece by piece as it arrives. No more than two pieces of it are in memory.
struct FileUpload {
    private var writer: FileWriter
    private var parser: MultipartParser
    private var form: FileForm
    /// The field that is being read; nil during the file.
    private var field: String?
    private var value: [UInt8] = []

    /// The largest file: 200 MB, as OpenAI has it for batches.
    static let largest: Int64 = 200 * 1_048_576
    /// How much longer a form may be than its file.
    private static let formLength = 65_536
    /// Two pieces and what comes from the connection at once.
    private static let memory = 3 * FileStore.pieceLength

    init(_ files: FileStore, _ head: RequestHead) throws(GatewayError) {
        writer = FileWriter(files, key: head.caller.keyID, largest: Self.largest)
        form = FileForm(head.flavour)
        do { parser = try MultipartParser(contentType: head.header("content-type") ?? "") } catch { throw GatewayError(error) }
    }

    /// Reads the whole form. The file that it returns is not complete yet.
    /// - Throws: `GatewayError`. Then nothing of the file is left.
    func run(_ exchange: Exchange) async throws -> (form: FileForm, file: Int64, bytes: Int64) {
        var upload = self
        do {
            try await exchange.source.pieces(
                exchange.response, atMost: Int(Self.largest) + Self.formLength, holding: Self.memory
            ) { bytes in
                try await upload.take(bytes)
            }
            return try await upload.finish()
        } catch {
            await upload.writer.discard()
            switch error {
            case let error as RequestError: throw GatewayError(error)
            case let error as StoreError: throw GatewayError(error)
            default: throw error
            }
        }
    }

    private mutating func take(_ bytes: ByteBufferView) async throws {
        for event in try parser.feed(bytes) {
            switch event {
            case .part(let part):
                try endField()
                field = try form.begin(part) ? nil : part.name
            case .bytes(let bytes) where field == nil: try await writer.add(bytes)
            case .bytes(let bytes):
                guard value.count + bytes.count <= FileForm.longestField else {
                    throw RequestError(
                        "A field of the form is longer than \(FileForm.longestField) bytes: send only the file and its purpose.")
                }
                value += bytes
            }
        }
    }

    private mutating func endField() throws(RequestError) {
        guard let name = field else { return }
        try form.set(name, to: value)
        (field, value) = (nil, [])
    }

    private mutating func finish() async throws -> (form: FileForm, file: Int64, bytes: Int64) {
        guard parser.isComplete else { throw RequestError("The form has no end: send its closing boundary.") }
        try endField()
        try form.finish()
        return (form, try await writer.finish(), writer.bytes)
    }
}
