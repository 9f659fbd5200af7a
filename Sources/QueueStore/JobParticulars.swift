import JobModel

/// What a claim leaves out of a job, for few ask for it.
public struct JobParticulars: Sendable, Equatable {
    /// The queue it waited in.
    public var queue: String
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?
    /// The batch it belongs to.
    public var batch: String?

    /// Makes them.
    public init(queue: String, metadata: JSONValue?, batch: String? = nil) {
        self.queue = queue
        self.metadata = metadata
        self.batch = batch
    }
}
