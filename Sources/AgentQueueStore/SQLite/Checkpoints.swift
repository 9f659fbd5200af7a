import GRDB
import GRDBSQLite

/// Moves the write-ahead log into the database, on a connection of its own, beside live writers. Used by the writer's thread alone.
///
/// **Guarded checkpoints.** SQLite before 3.51.3 can lose commits when a checkpoint starts while another process resets
/// the WAL ("the WAL-reset bug", sqlite.org/wal.html section 11). A WAL is reset only by a holder of the write lock, so
/// the writer's connection takes that lock, the other one checkpoints (PASSIVE, which needs no lock of ours), and the lock is
/// given back. A kill drops both together.
final class Checkpoints {
    private let writer: WriteConnection
    private let configuration: Configuration
    private let path: String
    private let isGuarded: Bool
    /// The longest log, in pages, that is left as it is.
    private let maxPages: Int
    private var connection: DatabaseQueue?
    /// Whether a commit found the disk full, and no checkpoint has come through since: the next one must not wait for a long
    /// WAL, which would take the room that the database needs.
    private var isShortOfRoom = false
    /// The WAL's length after our latest commit, in pages: set by the WAL hook.
    private let logPages: UnsafeMutablePointer<CInt>

    /// - Parameter checkpointer: the connection to checkpoint on; nil opens one when it is first needed.
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

    /// Whether a version of SQLite has the fix: 3.51.3 and later, and the branches 3.50.7 and 3.44.6.
    static func hasWALResetFix(_ version: CInt) -> Bool {
        version >= 3_051_003 || (3_050_007..<3_051_000).contains(version) || (3_044_006..<3_045_000).contains(version)
    }

    /// Checkpoints if the WAL has grown long. Whatever keeps it from doing so now, the next commit tries again.
    func runIfDue() {
        guard logPages.pointee >= maxPages || isShortOfRoom else { return }
        logPages.pointee = 0
        run()
    }

    /// The WAL cannot grow, for the disk is full. Once it is all in the database, it begins anew and need not.
    func makeRoom() {
        isShortOfRoom = true
        run()
    }

    /// Moves the WAL's frames into the database, guarded.
    private func run() {
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
            // Busy, or the disk is full: the WAL is longer for a while, and nothing is lost.
        }
    }

    func close() {
        writer.noteLogLength(in: nil)
        try? connection?.close()
    }
}
