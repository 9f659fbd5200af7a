import Synchronization

/// Whether any byte of a request's body has left.
final class SendProgress: Sendable {
    private let begun = Atomic(false)

    /// Notes the first byte.
    func begin() { begun.store(true, ordering: .releasing) }

    /// Whether the first byte was asked for by an open connection. Until then no server can have acted on the request.
    var hasBegun: Bool { begun.load(ordering: .acquiring) }
}
