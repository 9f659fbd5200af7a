import Synchronization

/// Whether it was the server that ended a connection.
final class OurOwnDoing: Sendable {
    private let flag = Atomic(false)

    func set() { flag.store(true, ordering: .releasing) }
    var isSet: Bool { flag.load(ordering: .acquiring) }
}
