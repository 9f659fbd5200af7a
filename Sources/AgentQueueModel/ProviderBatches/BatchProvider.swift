/// A provider that also accepts requests as a batch and answers them within a day at a lower price: OpenAI's Batches, Anthropic's Message
/// Batches.
///
/// Every result reflects what the provider said. If submitting a batch fails, the caller has to find out whether the batch exists all the
/// same.
package protocol BatchProvider: ModelProvider {
    /// The capacity of one batch.
    var batchCapacity: BatchCapacity { get }

    /// The size of a request in a batch, in bytes; a failure with the reason if it cannot be sent in a batch.
    func batchSize(of item: BatchItem) -> Result<Int, ModelFailure>

    /// Submits requests of one kind and target as a batch. It may be repeated only if ``findBatches(label:count:since:timeout:)`` shows
    /// that the earlier attempt never arrived, because the provider accepts, and charges for, every submission.
    /// - Parameters:
    ///   - items: no more than ``batchCapacity`` allows.
    ///   - label: what the batch is found by later: ASCII letters, digits, `-` and `_`, at most 40.
    ///   - timeout: for the whole submission, in ms.
    func submitBatch(_ items: [BatchItem], label: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure>

    /// The provider's batches that may be the one with this label, most likely first.
    /// - Parameters:
    ///   - count: the number of requests in it.
    ///   - since: only batches created at or after this time (wall clock, ms).
    func findBatches(label: String, count: Int, since: Int64, timeout: Int64) async -> Result<[RemoteBatch], ModelFailure>

    /// The current status of a batch.
    func batch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure>

    /// Cancels a batch. What is done by then stays and is charged for; the rest comes back unpaid.
    func cancelBatch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure>

    /// Reads the results of a batch that has ended, in any order, and passes them on in slices as they arrive. An item that is in no slice
    /// got no answer and was not charged for.
    /// - Parameter take: receives a slice. If it throws, reading stops and the error is rethrown.
    /// - Returns: why the results could not be read to the end; nil if they were. What was passed on remains valid. The failure is of
    ///   class `invalidReply` if some results cannot be told apart, and will not be next time either.
    func readResults(
        of batch: RemoteBatch, kind: JobKind, timeout: Int64, _ take: @Sendable ([BatchItemResult]) async throws -> Void
    ) async throws -> ModelFailure?

    /// The outcome of a result, with the provider's remark added to its sentence but without anything that the request says.
    func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome

    /// Removes what the provider keeps for a batch that has been read, such as input files, as far as possible.
    func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async
}

extension BatchProvider {
    /// By default, the outcome unchanged.
    package func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome { result.outcome }
}

/// A batch as its provider describes it.
package struct RemoteBatch: Sendable, Equatable {
    package enum Status: Sendable, Equatable {
        /// In progress, or about to end.
        case inProgress
        /// Ended, completely or not: its results can be read.
        case ended
        /// Refused as a whole, for this reason. Nothing was charged for.
        case refused(String)
    }

    /// The provider's id for it.
    package var id: String
    package var status: Status
    /// The number of requests in it; nil if the provider does not say.
    package var count: Int?
    /// When it was created (wall clock, ms).
    package var createdAt: Int64
    /// When it ends at the latest (wall clock, ms).
    package var expiresAt: Int64?
    /// Whether it carries the label that was looked for. If not, it may be someone else's, and only its results can tell.
    package var isCertain: Bool
    /// What the provider needs in order to return the results: files or addresses, in its own form.
    package var sources: [String]

    package init(
        id: String, status: Status, count: Int? = nil, createdAt: Int64, expiresAt: Int64? = nil, isCertain: Bool = true,
        sources: [String] = []
    ) {
        self.id = id
        self.status = status
        self.count = count
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.isCertain = isCertain
        self.sources = sources
    }
}

/// One request in a batch.
package struct BatchItem: Sendable, Equatable {
    /// Its id in the batch: 1 to 64 ASCII letters, digits, `-` and `_`.
    package var id: String
    /// What is asked.
    package var request: ModelRequest

    package init(id: String, request: ModelRequest) {
        self.id = id
        self.request = request
    }
}

/// The result of one request in a batch.
package struct BatchItemResult: Sendable, Equatable {
    /// Its id in the batch.
    package var id: String
    /// The answer, or why there is none. A failure of class `cancelled` or `expired` means that the batch ended before the request was
    /// processed, and the request was not charged for.
    package var outcome: Outcome
    /// The provider's own words about a failure. They may quote the request, so they must never be shown as they are, only through
    /// ``BatchProvider/outcome(of:to:)``.
    package var remark: String?
    /// The answer as the provider wrote it, and its form, for a client of the same form.
    package var native: Native?

    package struct Native: Sendable, Equatable {
        package var form: RequestForm
        package var body: JSONValue

        package init(form: RequestForm, body: JSONValue) {
            self.form = form
            self.body = body
        }
    }

    package init(id: String, outcome: Outcome, remark: String? = nil, native: Native? = nil) {
        self.id = id
        self.outcome = outcome
        self.remark = remark
        self.native = native
    }
}

/// The capacity of one batch.
package struct BatchCapacity: Sendable, Equatable {
    /// The maximum number of requests; for embeddings, of inputs.
    package var items: Int
    /// The maximum total size of the requests as sent, in bytes.
    package var bytes: Int
    /// The price of an answer as a share of the usual price.
    package var priceShare: Double

    /// Half the usual price by default.
    package init(items: Int, bytes: Int, priceShare: Double = 0.5) {
        self.items = items
        self.bytes = bytes
        self.priceShare = priceShare
    }
}
