/// What can end that somebody is told of.
public enum NoticeKind: String, Sendable, CaseIterable {
    /// One job.
    case job
    /// All jobs of a batch.
    case batch
    /// A run of a pipeline.
    case run
}
