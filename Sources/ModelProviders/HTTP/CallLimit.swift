/// How long a provider has to answer, all its calls together.
struct CallLimit: Sendable {
    /// In ms.
    let timeout: Int64
    /// When that ends.
    let deadline: ContinuousClock.Instant

    /// Whether these are a check's calls, which may go to an endpoint that is not there. A server that refuses one may leave
    /// the body unread, and take it for the next request: so each gets a connection that is closed behind it.
    let isCheck: Bool

    /// Begins now. Bounded to ten years, which keeps the sum in range.
    init(timeout: Int64, isCheck: Bool = false) {
        self.timeout = timeout
        self.isCheck = isCheck
        deadline = .now + .milliseconds(min(max(0, timeout), 10 * 366 * 86_400_000))
    }
}
