import JobModel

/// What a claim leaves out of a job, for few ask for it.
public struct JobParticulars: Sendable, Equatable {
    /// The queue it waited in.
    public var queue: String
    /// The user's own data, a JSON object.
    public var metadata: JSONValue?

    /// Makes them.
    public init(queue: String, metadata: JSONValue?) {
        self.queue = queue
        self.metadata = metadata
    }
}
