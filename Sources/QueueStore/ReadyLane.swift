import JobModel

/// A lane that has ready jobs.
struct ReadyLane {
    var id: Int64
    var kind: JobKind
    var target: Target
    /// The priority of its first job; nil where only jobs that must run alone are ready.
    var head: Int?
    var hasSuspect: Bool
    var served: Int64
}
