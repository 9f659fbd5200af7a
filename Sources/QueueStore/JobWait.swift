/// What a job that is `pending` waits for.
public enum JobWait: Sendable, Equatable {
    /// The answer to an identical job, which is running; nil where its call has just ended.
    case identicalJob(Int64?)
    /// The answers to a batch at the provider.
    case providerBatch(Int64, ProviderBatch.State)
    /// Other jobs, which have to complete first; the oldest of them.
    case jobs([Int64])
}
