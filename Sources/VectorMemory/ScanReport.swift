/// How a search came to its answer.
public struct ScanReport: Sendable, Equatable {
    /// How it went through the vectors: never `automatic`.
    public var scan: VectorScan
    /// How many vectors it looked at: those alive that the filter left.
    public var scanned = 0
    /// Of these, how many the sketch left; all of them without a sketch.
    public var sketched = 0
    /// Of these, how many the codes left as candidates.
    public var candidates = 0
    /// Of these, how many were ranked by their exact vectors.
    public var ranked = 0
    /// How many threads.
    public var threads = 1

    /// Makes one.
    public init(scan: VectorScan) { self.scan = scan }
}
