import JobModel

/// A provider that also takes requests as a batch, and answers them within a day at a lower price: OpenAI's Batches, Anthropic's
/// Message Batches.
///
/// Every answer says what the provider said; whether a batch whose sending failed is there all the same is for the caller to ask.
public protocol BatchProvider: ModelProvider {
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
    public func outcome(of result: BatchItemResult, to request: ModelRequest) -> Outcome { result.outcome }
}
