import CAgentQueue
import GRDB
import GRDBSQLite

/// The writer's connection and the one that checkpoints, confined to the writer's thread.
///
/// **Guarded checkpoints.** SQLite before 3.51.3 can lose commits when a checkpoint starts while another process resets
/// the WAL ("the WAL-reset bug", sqlite.org/wal.html section 11). A WAL is reset only by a holder of the write lock, so
/// this connection takes that lock, the other one checkpoints (PASSIVE, which needs no lock of ours), and the lock is
/// given back. A kill drops both together.
final class WriterConnections: @unchecked Sendable {
    // @unchecked because it is made by the thread that opens the store and then used by the writer's thread alone:
    // `Writer.init` hands it over before that thread starts.

    enum Attempt {
        case committed
        case operationFailed(index: Int, any Error)
        case couldNotBegin(any Error)
        case couldNotCommit(any Error)
    }

    let transaction: WriteTransaction
    private let pool: DatabasePool
    private let connection: OpaquePointer
    private let configuration: Configuration
    private let path: String
    private let isGuarded: Bool
    private let checkpointPages: Int
    private var checkpointer: DatabaseQueue?
    /// Whether a commit found the disk full, and no checkpoint has come through since: the next one must not wait for a long
    /// WAL, which would take the room that the database needs.
    var isShortOfRoom = false
    /// The WAL's length after our latest commit, in pages: set by the WAL hook.
    private let walPages: UnsafeMutablePointer<CInt>

    init(pool: DatabasePool, configuration: Configuration, path: String, options: StoreOptions) throws {
        self.pool = pool
        self.configuration = configuration
        self.path = path
        checkpointPages = options.checkpointPages
        isGuarded = options.guardsCheckpoints ?? !Self.hasWALResetFix(sqlite3_libversion_number())
        walPages = .allocate(capacity: 1)
        walPages.initialize(to: 0)
        let handle = pool.writeWithoutTransaction { $0.sqliteConnection }
        guard let handle else { throw StoreError(.closed, "\(path): the database is closed") }
        connection = handle
        transaction = WriteTransaction(connection: handle, clock: options.clock)
        // Setting `wal_autocheckpoint` would clear the hook, so it stands last.
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                context?.assumingMemoryBound(to: CInt.self).pointee = pages
                return SQLITE_OK
            }, walPages)
    }

    deinit { walPages.deallocate() }

    /// Whether a version of SQLite has the fix: 3.51.3 and later, and the branches 3.50.7 and 3.44.6.
    static func hasWALResetFix(_ version: CInt) -> Bool {
        version >= 3_051_003 || (3_050_007..<3_051_000).contains(version) || (3_044_006..<3_045_000).contains(version)
    }

    /// Runs operations in one transaction, without answering them.
    func attempt(_ group: [any PendingWrite]) -> Attempt {
        pool.writeWithoutTransaction { database in
            do { try database.beginTransaction(.immediate) } catch { return .couldNotBegin(error) }
            transaction.begin()
            for index in group.indices {
                do { try group[index].perform(in: transaction) } catch {
                    rollback(database)
                    return .operationFailed(index: index, error.asStoreError(path: path))
                }
            }
            do {
                try transaction.resources.write(to: transaction)
                try transaction.ledger.write(to: transaction)
                try database.commit()
            } catch {
                rollback(database)
                return .couldNotCommit(error.asStoreError(path: path))
            }
            transaction.didCommit()
            return .committed
        }
    }

    private func rollback(_ database: Database) {
        // An error may have ended the transaction already; then there is nothing to roll back, and nothing to report.
        if database.isInsideTransaction { try? database.rollback() }
    }

    /// Checkpoints if the WAL has grown long. Whatever keeps it from doing so now, the next commit tries again.
    func checkpointIfDue() {
        guard walPages.pointee >= checkpointPages || isShortOfRoom else { return }
        walPages.pointee = 0
        checkpoint()
    }

    /// Moves the WAL's frames into the database, guarded.
    func checkpoint() {
        do {
            let checkpointer = try checkpointer ?? DatabaseQueue(path: path, configuration: configuration)
            self.checkpointer = checkpointer
            try pool.writeWithoutTransaction { database in
                if isGuarded { try database.beginTransaction(.immediate) }
                defer { if isGuarded { rollback(database) } }
                try checkpointer.inDatabase { _ = try $0.checkpoint(.passive) }
            }
            isShortOfRoom = false
        } catch {
            // Busy, or the disk is full: the WAL is longer for a while, and nothing is lost.
        }
    }

    func close() {
        transaction.finalizeStatements()
        sqlite3_wal_hook(connection, nil, nil)
        try? checkpointer?.close()
    }
}

extension Error {
    /// This error in the store's words.
    func asStoreError(path: String) -> StoreError {
        if let failure = self as? SQLFailure { return StoreError.from(code: failure.code, message: failure.message, path: path) }
        return StoreError.from(self, path: path)
    }
}
