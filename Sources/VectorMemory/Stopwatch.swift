/// Measures how long something took, for reports.
struct Stopwatch {
    private let start = ContinuousClock.now

    /// The time since it was made, in µs.
    var microseconds: Int { Int((ContinuousClock.now - start) / .microseconds(1)) }
}
