import AgentQueueModel
import CAgentQueue
import Synchronization

/// Whether an open database is still the file at its path. One that was deleted, moved or replaced could be used on, but nobody else would
/// see it: jobs that others add would wait for ever, and answers would be lost with the file.
final class DatabasePlace: Sendable {
    private let path: String
    private let identity: FileIdentity?
    private let isLost = Atomic(false)
    private let lastLook = Atomic<Int64>(0)

    /// Looks are at least this far apart, in ns: every commit rings the bell.
    private static let interval: Int64 = 500_000_000

    /// The database that was just opened at a path.
    init(_ path: String) {
        self.path = path
        identity = FileIdentity(path: path)
    }

    /// Compares the file with the one at the path, unless that was done a moment ago.
    func look() {
        let now = platform_monotonic_ns()
        guard now - lastLook.load(ordering: .relaxed) >= Self.interval else { return }
        lastLook.store(now, ordering: .relaxed)
        if !isSame { isLost.store(true, ordering: .relaxed) }
    }

    /// Whether it is the file at the path now.
    var isSame: Bool {
        // Without an identity, nothing can be told.
        switch identity?.presence(at: path) {
        case .missing, .replaced: false
        case .same, .unknown, nil: true
        }
    }

    /// - Throws: `StoreError` once a look has found another file, or none, at the path.
    func require() throws(StoreError) {
        guard isLost.load(ordering: .relaxed) else { return }
        throw StoreError(
            .incomplete,
            "\(path): the database was deleted, moved or replaced while it was in use; put it back or restore a backup, and start again")
    }
}
