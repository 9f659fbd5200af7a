/// Something a test waits for: it opens once, and stays open.
public final class Gate: Sendable {
    private let counter = Counter()

    /// Makes a closed gate.
    public init() {}

    /// Lets everybody through, now and later.
    public func open() { counter.add(1) }

    /// Waits until it is open.
    /// - Throws: `CancellationError`.
    public func wait() async throws { try await counter.wait(atLeast: 1) }
}
