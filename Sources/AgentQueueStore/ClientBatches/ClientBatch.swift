import AgentQueueModel

/// A batch that a client has given through the gateway. Times are wall clock, in milliseconds.
package struct ClientBatch: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// Its requests are being checked.
        case validating
        case inProgress = "in_progress"
        /// All its requests have ended, and its files are being written.
        case finalizing
        case completed
        /// Its input was wrong, and nothing of it was asked.
        case failed
        /// It ended with requests that had not begun when its window was over.
        case expired
        /// What waits is cancelled, and what runs may finish.
        case cancelling
        case cancelled

        package var isFinal: Bool { [.completed, .failed, .expired, .cancelled].contains(self) }
    }

    /// How many of its requests have ended so far, by how.
    package struct Counts: Sendable, Equatable {
        package var total = 0
        package var succeeded = 0
        package var failed = 0
        package var cancelled = 0
        package var expired = 0

        package init() {}

        package var ended: Int { succeeded + failed + cancelled + expired }
    }

    /// Rises from batch to batch.
    package var id: Int64
    /// By which the client knows it, and the name of its jobs' batch.
    package var publicID: String
    /// The id of the key that it belongs to; 0 where none was asked for.
    package var key: Int64
    /// The form of its requests: `messages` for Anthropic's batches.
    package var form: RequestForm
    package var state: State
    package var inputFile: Int64
    /// What became of its requests; nil before it has ended.
    package var outputFile: Int64?
    /// What failed, in a batch of OpenAI's form.
    package var errorFile: Int64?
    /// As the client wrote it: `24h`.
    package var window: String
    /// How long its files are kept; nil for 30 days.
    package var outputLifetime: Int64?
    package var metadata: JSONValue?
    package var version: String?
    package var betas: [String]
    /// The first model that it names.
    package var model: String?
    /// Why it failed, each as its client reads it.
    package var errors: [JSONValue]
    package var counts: Counts
    /// The tokens of the answers in its files.
    package var usage: Usage
    package var createdAt: Int64
    /// What has not begun by then expires.
    package var expiresAt: Int64
    package var inProgressAt: Int64?
    package var cancellingAt: Int64?
    package var finalizingAt: Int64?
    package var endedAt: Int64?
}

/// A batch as a client gives it.
package struct NewClientBatch: Sendable {
    /// By which the client will know it: unique.
    package var publicID: String
    /// The id of the key that sends it; 0 where none is asked for.
    package var key: Int64
    package var form: RequestForm
    /// A complete file of the key.
    package var inputFile: Int64
    /// SHA-256 of everything that makes two batches the same, the key included, 32 bytes.
    package var attach: [UInt8]
    /// As the client wrote it.
    package var window: String
    /// How long its requests have to begin, in milliseconds.
    package var lifetime: Int64
    /// How many requests it has, if they are counted and well-formed; nil if they are to be checked first.
    package var lines: Int?
    package var outputLifetime: Int64?
    package var metadata: JSONValue?
    package var version: String?
    package var betas: [String] = []
    package var idempotencyKey: String?
    /// Whether the client says that it has sent it before.
    package var isRetry = false
    /// The process that the client is connected to, as registered by ``GatewayStore/register()``.
    package var server: Int64
    package var windows = AttachWindows()

    package init(
        publicID: String, key: Int64, form: RequestForm, inputFile: Int64, attach: [UInt8], window: String, lifetime: Int64, server: Int64
    ) {
        self.publicID = publicID
        self.key = key
        self.form = form
        self.inputFile = inputFile
        self.attach = attach
        self.window = window
        self.lifetime = lifetime
        self.server = server
    }
}

extension ClientBatch {
    static let columns = """
        SELECT id, public_id, key_id, form, state, input_file, output_file, error_file, completion_window, output_lifetime, metadata, version,
        betas, model, errors, lines, succeeded, failed, cancelled, expired, input_tokens, output_tokens, created_at, expires_at,
        in_progress_at, cancelling_at, finalizing_at, ended_at
        FROM client_batches
        """

    init(_ row: Statement) throws {
        guard let form = RequestForm(rawValue: row.text(3)), let state = State(rawValue: row.text(4)) else {
            throw StoreError(.corrupt, "batch \(row.int64(0)) is damaged")
        }
        let isOver = state.isFinal
        var counts = Counts()
        counts.total = Int(row.optionalInt64(15) ?? 0)
        counts.succeeded = row.int(16)
        counts.failed = row.int(17)
        counts.cancelled = row.int(18)
        counts.expired = row.int(19)
        self.init(
            id: row.int64(0), publicID: row.text(1), key: row.int64(2), form: form, state: state, inputFile: row.int64(5),
            outputFile: isOver ? row.optionalInt64(6) : nil, errorFile: isOver ? row.optionalInt64(7) : nil, window: row.text(8),
            outputLifetime: row.optionalInt64(9), metadata: try row.optionalText(10).map { try JSONValue.parse($0) },
            version: row.optionalText(11), betas: try JSONValue.parse(row.text(12)).array?.compactMap(\.string) ?? [],
            model: row.optionalText(13), errors: try row.optionalText(14).map { try JSONValue.parse($0).array ?? [] } ?? [],
            counts: counts, usage: Usage(inputTokens: row.int(20), outputTokens: row.int(21)), createdAt: row.int64(22),
            expiresAt: row.int64(23), inProgressAt: row.optionalInt64(24), cancellingAt: row.optionalInt64(25),
            finalizingAt: row.optionalInt64(26), endedAt: row.optionalInt64(27))
    }
}
