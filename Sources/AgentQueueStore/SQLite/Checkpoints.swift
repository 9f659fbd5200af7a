import GRDB
import GRDBSQLite

/// Moves the write-ahead log into the database on its own connection, while writers continue. Used by the writer's thread only.
///
/// **Guarded checkpoints.** SQLite before 3.51.3 can lose commits when a checkpoint starts while another process resets the WAL ("the
/// WAL-reset bug", sqlite.org/wal.html section 11). Only a holder of the write lock resets the WAL, so the writer's connection takes that
/// lock, the other connection checkpoints (PASSIVE, which does not need the write lock), and the lock is released. If the process is
/// killed, both end together.
final class Checkpoints {
    private let writer: WriteConnection
    private let configuration: Configuration
    private let path: String
    private let isGuarded: Bool
    /// The longest log, in pages, that does not trigger a checkpoint.
    private let maxPages: Int
    private var connection: DatabaseQueue?
    /// Whether a commit found the disk full and no checkpoint has succeeded since. The next checkpoint must not wait for a long WAL, which
    /// would take the space that the database needs.
    private var isShortOfRoom = false
    /// The WAL's length in pages after our latest commit; set by the WAL hook.
    private let logPages: UnsafeMutablePointer<CInt>

    /// - Parameter checkpointer: the connection to checkpoint on; nil opens one on first use.
    init(
        _ writer: WriteConnection, checkpointer: DatabaseQueue?, configuration: Configuration, path: String, options: StoreOptions
    ) {
        self.writer = writer
        connection = checkpointer
        self.configuration = configuration
        self.path = path
        maxPages = options.checkpointPages
        isGuarded = options.guardsCheckpoints ?? !Self.hasWALResetFix(sqlite3_libversion_number())
        logPages = .allocate(capacity: 1)
        logPages.initialize(to: 0)
        writer.noteLogLength(in: logPages)
    }

    deinit { logPages.deallocate() }

    /// Whether a version of SQLite has the fix for the WAL-reset bug: 3.51.3 and later, and the branches 3.50.7 and 3.44.6.
    static func hasWALResetFix(_ version: CInt) -> Bool {
        version >= 3_051_003 || (3_050_007..<3_051_000).contains(version) || (3_044_006..<3_045_000).contains(version)
    }

    /// The WAL's length in pages after our latest commit; 0 after a checkpoint.
    var logLength: CInt { logPages.pointee }

    /// Checkpoints if the WAL is long. If that fails, the next commit tries again.
    func runIfDue() {
        guard logPages.pointee >= maxPages || isShortOfRoom else { return }
        logPages.pointee = 0
        run()
    }

    /// Checkpoints because the disk is full and the WAL cannot grow. Once all of it is in the database, it restarts from its beginning and
    /// need not grow.
    func makeRoom() {
        isShortOfRoom = true
        run()
    }

    /// Moves the WAL's frames into the database, guarded if necessary. If no reader needs an older state, the file then has exactly the
    /// pages of the database.
    func run() {
        do {
            let connection = try connection ?? DatabaseQueue(path: path, configuration: configuration)
            self.connection = connection
            try writer.hold {
                if isGuarded { try writer.begin() }
                defer { if isGuarded { writer.rollback() } }
                try connection.inDatabase { _ = try $0.checkpoint(.passive) }
            }
            isShortOfRoom = false
        } catch {
            // Busy, or the disk is full: the WAL stays long for a while, but nothing is lost.
        }
    }

    func close() {
        writer.noteLogLength(in: nil)
        try? connection?.close()
    }
}
