/// How near two vectors are.
public enum VectorMetric: String, Sendable, CaseIterable {
    /// The cosine of their angle, -1 to 1: larger is nearer.
    case cosine
    /// Their dot product: larger is nearer.
    case dot
    /// Their Euclidean distance: smaller is nearer. Its score is the distance, negated, so that larger is nearer for every metric.
    case euclidean
}
