/// A provider that also takes requests as a batch, and answers them within a day at a lower price: OpenAI's Batches, Anthropic's
/// Message Batches.
///
/// Every answer says what the provider said; whether a batch whose sending failed is there all the same is for the caller to ask.
package protocol BatchProvider: ModelProvider {
    /// What one batch may hold.
    var batchCapacity: BatchCapacity { get }

    /// How many bytes a request takes in a batch; nil where it cannot be sent in one, with the reason.
    func batchSize(of item: BatchItem) -> Result<Int, ModelFailure>

    /// Sends requests of one kind and target as a batch. To be repeated only where ``findBatches(label:count:since:timeout:)`` shows
    /// that the earlier try never arrived: the provider takes, and charges for, each.
    /// - Parameters:
    ///   - items: at most what ``batchCapacity`` allows.
    ///   - label: what it is found by later: ASCII letters, digits, `-` and `_`, at most 40.
    ///   - timeout: how long all of it may take, in ms.
    func submitBatch(_ items: [BatchItem], label: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure>

    /// The provider's batches that may be the one of a label, the likeliest first.
    /// - Parameters:
    ///   - count: how many requests it has.
    ///   - since: made at that time (wall clock, ms) or later.
    func findBatches(label: String, count: Int, since: Int64, timeout: Int64) async -> Result<[RemoteBatch], ModelFailure>

    /// How a batch stands.
    func batch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure>

    /// Gives a batch up. What is done by then is charged for and stays; the rest comes back unpaid.
    func cancelBatch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure>

    /// Reads what a batch that has ended came to, in any order, handed on in slices while it comes. An item that is in no slice got no
    /// answer and was not charged for.
    /// - Parameter take: what it throws ends the reading, and is thrown on.
    /// - Returns: why it could not be read to its end; nil if it was. What was handed on is good all the same. Of class `invalidReply`
    ///   where some of it cannot be told apart, and will not be the next time either.
    func readResults(
        of batch: RemoteBatch, kind: JobKind, timeout: Int64, _ take: @Sendable ([BatchItemResult]) async throws -> Void
    ) async throws -> ModelFailure?

    /// A result's outcome, its sentence completed by what the provider said, without what the request says.
    func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome

    /// Removes what the provider keeps for a batch that has been read (input files, say), as far as it can.
    func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async
}

extension BatchProvider {
    /// The outcome as it is, unless the provider says otherwise.
    package func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome { result.outcome }
}

/// A batch, as its provider describes it.
package struct RemoteBatch: Sendable, Equatable {
    /// Where it stands.
    package enum Status: Sendable, Equatable {
        /// Under way, or about to end.
        case inProgress
        /// Ended, completely or not: its results can be read.
        case ended
        /// Refused as a whole, for the reason given. Nothing was charged for.
        case refused(String)
    }

    /// The provider's name for it.
    package var id: String
    /// Where it stands.
    package var status: Status
    /// How many requests it holds, where the provider says.
    package var count: Int?
    /// When it was made (wall clock, ms).
    package var createdAt: Int64
    /// When it ends at the latest (wall clock, ms).
    package var expiresAt: Int64?
    /// Whether it bears the label that was looked for; else it may be another's, and only its results tell.
    package var isCertain: Bool
    /// What the provider needs to be told to hand its results out: files or addresses, in the provider's own way.
    package var sources: [String]

    /// Makes a description.
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

/// One request of a batch.
package struct BatchItem: Sendable, Equatable {
    /// Its name in the batch: 1 to 64 of ASCII letters, digits, `-` and `_`.
    package var id: String
    /// What is asked.
    package var request: ModelRequest

    /// Makes an item.
    package init(id: String, request: ModelRequest) {
        self.id = id
        self.request = request
    }
}

/// What one request of a batch came to.
package struct BatchItemResult: Sendable, Equatable {
    /// Its name in the batch.
    package var id: String
    /// The answer, or why there is none. A failure of class `cancelled` or `expired` says that the batch ended before the request's
    /// turn: it was not charged for.
    package var outcome: Outcome
    /// What the provider said of a failure in words of its own, which may quote the request: never to be shown as it is, but by
    /// ``BatchProvider/outcome(of:to:)``.
    package var remark: String?

    /// Makes a result.
    package init(id: String, outcome: Outcome, remark: String? = nil) {
        self.id = id
        self.outcome = outcome
        self.remark = remark
    }
}

/// What one batch of a provider may hold.
package struct BatchCapacity: Sendable, Equatable {
    /// Requests; of embeddings, their inputs.
    package var items: Int
    /// Bytes of the requests together, as sent.
    package var bytes: Int
    /// What an answer costs, as a share of the usual price.
    package var priceShare: Double

    /// Makes one; at half the price, unless told.
    package init(items: Int, bytes: Int, priceShare: Double = 0.5) {
        self.items = items
        self.bytes = bytes
        self.priceShare = priceShare
    }
}
