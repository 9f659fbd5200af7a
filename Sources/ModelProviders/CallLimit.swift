/// How long a provider has to answer, all its calls together.
struct CallLimit: Sendable {
    /// In ms.
    let timeout: Int64
    /// When that ends.
    let deadline: ContinuousClock.Instant

    /// Begins now. Bounded to ten years, which keeps the sum in range.
    init(timeout: Int64) {
        self.timeout = timeout
        deadline = .now + .milliseconds(min(max(0, timeout), 10 * 366 * 86_400_000))
    }
}
