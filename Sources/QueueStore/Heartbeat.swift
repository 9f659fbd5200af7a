import CPlatform
import GRDB
import GRDBSQLite
import JobModel

/// Renews leases on a connection of its own, so that no long commit of the writer can make a worker look dead.
///
/// Confined to the thread that made it. A heartbeat need not survive a power cut, which ends all leases anyway: hence
/// `synchronous=NORMAL`.
public final class Heartbeat {
    private let database: DatabaseQueue
    private let clock: StoreClock
    private let path: String

    /// Opens the connection.
    /// - Throws: `StoreError`.
    public init(_ store: QueueStore) throws {
        clock = store.clock
        path = store.path
        do {
            database = try DatabaseQueue(path: store.path, configuration: DatabaseFile.configuration(durability: .normal))
        } catch {
            throw error.asStoreError(path: store.path)
        }
    }

    /// Moves the deadlines of leases to `lease` ms from now. Each is renewed only under its token.
    /// - Returns: the leases that are lost: the job has another token by now, or none.
    /// - Throws: `StoreError`.
    public func renew(_ leases: [Lease], for lease: Int64) throws -> [Lease] {
        guard !leases.isEmpty else { return [] }
        let deadline = clock.boot() + lease
        var lost: [Lease] = []
        do {
            // Jobs that share calls are many: each transaction is short.
            for start in stride(from: 0, to: leases.count, by: Self.slice) {
                let slice = leases[start..<min(start + Self.slice, leases.count)]
                try database.inDatabase { database in
                    try database.inTransaction(.immediate) {
                        for lease in slice {
                            try database.cachedStatement(
                                sql: "UPDATE jobs SET lease_expires_at = ? WHERE id = ? AND state = 'running' AND token = ?"
                            ).execute(arguments: [deadline, lease.jobID, lease.token])
                            if database.changesCount == 0 { lost.append(lease) }
                        }
                        return .commit
                    }
                }
            }
        } catch {
            throw error.asStoreError(path: path)
        }
        return lost
    }

    /// How many leases one transaction renews.
    private static let slice = 500

    /// Closes the connection.
    public func close() { try? database.close() }
}
