/// How a search goes through the vectors. All but `approximate` find the true nearest.
public enum VectorScan: String, Sendable, CaseIterable {
    /// `cascade` where it is ready and worth it, else `full`.
    case automatic
    /// The codes of all vectors.
    case full
    /// First a sketch of each vector, 64 bytes of its leading rotated dimensions, and the codes only of those that a bound leaves.
    case cascade
    /// As `cascade`, with a bound that holds for nearly all: faster, and a neighbour may be missed.
    case approximate
}
