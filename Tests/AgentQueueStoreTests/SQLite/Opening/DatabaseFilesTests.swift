import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import GRDB
import Glibc
import Testing

@testable import AgentQueueStore

/// The database's files as others move, copy and delete them: what is one database is opened, and nothing else is.
@Suite struct DatabaseFilesTests {
    private func open(_ path: String, checkpointPages: Int = 1_000, longestLogLeft: Int64 = 0) throws -> QueueStore {
        var options = StoreOptions(durability: .normal, checkpointPages: checkpointPages)
        options.longestLogLeft = longestLogLeft
        return try QueueStore(path: path, options: options)
    }

    private func refusal(_ path: String) async -> StoreError.Kind? { await storeError { try open(path).close() }?.kind }

    private func bytes(_ path: String) -> Data? { FileManager.default.contents(atPath: path) }

    private func size(_ path: String) -> Int64? {
        var status = stat()
        return lstat(path, &status) == 0 ? Int64(status.st_size) : nil
    }

    private func files(_ folder: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

    /// Replaces a file's content and keeps the file, as `cp` does.
    private func copy(_ source: String, over path: String) throws {
        let content = try #require(bytes(source))
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.truncate(atOffset: 0)
        try file.write(contentsOf: content)
        try file.close()
    }

    private func add(_ jobs: Int, to store: QueueStore) async throws {
        for index in 0..<jobs { _ = try await store.jobs.enqueue(.asking(String(repeating: "\(index) ", count: 1_000))) }
    }

    /// Adds jobs and leaves them in the log, as a process that is killed: another that uses the database keeps the log from being emptied.
    private func addAndLeaveLog(_ jobs: Int, to path: String, checkpointPages: Int = 1_000) async throws {
        let store = try open(path, checkpointPages: checkpointPages)
        try await add(jobs, to: store)
        let other = try await LockHolder(path: path + "-lock", byte: 0, exclusive: false)
        store.close()
        try await other.kill()
        try #require(try #require(size(path + "-wal")) > 0)
    }

    private func jobs(in path: String) throws -> Int {
        let store = try open(path)
        defer { store.close() }
        #expect(try store.maintenance.check().faults == [])
        return try store.maintenance.statistics().count(.available)
    }

    // MARK: The file alone

    @Test func aPlainCopyOfAClosedDatabaseIsWhole() async throws {
        try await withFolder { folder in
            let store = try open(folder + "/q.db")
            try await add(20, to: store)
            store.close()
            #expect(try files(folder) == ["q.db", "q.db-bell", "q.db-lock"])
            try FileManager.default.copyItem(atPath: folder + "/q.db", toPath: folder + "/copy.db")
            #expect(try jobs(in: folder + "/copy.db") == 20)
        }
    }

    @Test func theLastToCloseEmptiesTheLog() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let (first, second) = (try open(path), try open(path))
            try await add(3, to: first)
            first.close()
            #expect(try #require(size(path + "-wal")) > 0)
            second.close()
            #expect(size(path + "-wal") == nil)
            // Another process is one of them.
            try await addAndLeaveLog(3, to: path)
            // And one that only reads, too, if it is the last.
            #expect(try jobs(in: path) == 6)
            #expect(size(path + "-wal") == nil)
        }
    }

    @Test func aShortLogMayBeLeft() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            // Not by the process that makes the database: the file would look like an empty queue.
            var store = try open(path, longestLogLeft: 400_000)
            try await add(1, to: store)
            store.close()
            #expect(size(path + "-wal") == nil)
            store = try open(path, longestLogLeft: 400_000)
            try await add(1, to: store)
            store.close()
            #expect(try #require(size(path + "-wal")) > 0)
            for _ in 0..<40 {
                store = try open(path, longestLogLeft: 400_000)
                try await add(1, to: store)
                store.close()
                #expect(size(path + "-wal") ?? 0 <= 400_000)
            }
            #expect(try jobs(in: path) == 42)
        }
    }

    /// It would wait for the disk otherwise, and the file lacks nothing.
    @Test func whoOnlyReadsMovesNothingOfItsOwn() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let store = try open(path)
            try await add(1, to: store)
            store.close()
            let before = bytes(path)
            for _ in 0..<3 {
                let reader = try open(path)
                #expect(try reader.maintenance.statistics().count(.available) == 1)
                reader.close()
            }
            #expect(bytes(path) == before)
            #expect(try #require(size(path + "-wal")) < 8 * 4_120)
        }
    }

    @Test func aProcessThatOpensWaitsForOneThatCloses() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try open(path).close()
            let locks = try LockFile.shared(at: path + "-lock")
            try #require(locks.beginClosing())
            let opening = Task.detached { try open(path).close() }
            locks.endUse()
            try await opening.value
        }
    }

    // MARK: Parts of a database

    @Test(arguments: ["-lock", "-wal"]) func whatIsLeftOfADatabaseIsNotTakenForNone(_ suffix: String) async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try Data("x".utf8).write(to: URL(fileURLWithPath: path + suffix))
            let error = await storeError { try open(path).close() }
            #expect(error?.kind == .incomplete && error?.message.contains(path + suffix) == true, "\(String(describing: error))")
            #expect(try files(folder) == ["q.db" + suffix], "nothing is created")
            #expect(QueueStore.isIncomplete(path))
        }
    }

    @Test func anEmptiedFileIsNotTakenForANewOne() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try open(path).close()
            #expect(truncate(path, 0) == 0)
            #expect(await refusal(path) == .incomplete)
            #expect(size(path) == 0)
        }
    }

    /// An earlier version left such a file until its first checkpoint.
    @Test func aFileWithoutTablesIsRefused() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try RawConnection(path, create: true).run(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = \(DatabaseFile.applicationID); PRAGMA journal_mode = WAL")
            let before = bytes(path)
            #expect(await refusal(path) == .incomplete)
            #expect(await storeError { _ = try QueueStore.migrations(of: path) }?.kind == .incomplete)
            #expect(await storeError { _ = try QueueStore.restore(from: path, to: folder + "/other.db") }?.kind == .incomplete)
            #expect(bytes(path) == before)
            #expect(try !files(folder).contains("q.db-lock"))
        }
    }

    private struct Stop: Error {}

    @Test func aFailureWhileADatabaseIsMadeLeavesNothing() async throws {
        try await withFolder { folder in
            #expect(throws: Stop.self) { _ = try NewDatabase.place(at: folder + "/q.db") { _ in throw Stop() } }
            let left = try files(folder)
            #expect(left == [])
        }
    }

    // MARK: A copy beside another state's log

    @Test func aBackupCopiedBesideAnOldLogIsRefused() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try await addAndLeaveLog(5, to: path)
            let store = try open(path)
            try store.maintenance.backup(to: folder + "/backup.db")
            store.close()
            try await addAndLeaveLog(5, to: path)
            try copy(folder + "/backup.db", over: path)
            let (before, log) = (bytes(path), bytes(path + "-wal"))
            let error = await storeError { try open(path).close() }
            #expect(error?.kind == .incomplete && error?.message.contains(path + "-wal") == true, "\(String(describing: error))")
            #expect(bytes(path) == before && bytes(path + "-wal") == log)
            // The way out.
            _ = try QueueStore.restore(from: folder + "/backup.db", to: path)
            #expect(try jobs(in: path) == 5)
            // And the other.
            try await addAndLeaveLog(5, to: path)
            try copy(folder + "/backup.db", over: path)
            for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
            #expect(try jobs(in: path) == 5)
        }
    }

    @Test func anOlderPlainCopyBesideAnOldLogIsRefused() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            for (round, jobs) in [20, 20].enumerated() {
                let store = try open(path)
                try await add(jobs, to: store)
                store.close()
                try FileManager.default.copyItem(atPath: path, toPath: folder + "/copy-\(round).db")
            }
            try await addAndLeaveLog(50, to: path)
            try copy(folder + "/copy-0.db", over: path)
            #expect(await refusal(path) == .incomplete)
            // The file that the log is based on fits it.
            try copy(folder + "/copy-1.db", over: path)
            #expect(try jobs(in: path) == 90)
        }
    }

    /// Checkpoints, also of a part of the log, and connections that come and go: what belongs together is always opened.
    @Test func aLogThatBelongsToItsFileIsNeverRefused() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try open(path).close()
            let other = try await LockHolder(path: path + "-lock", byte: 0, exclusive: false)
            var generator = SeededGenerator(seed: 14)
            var expected = 0
            for _ in 0..<12 {
                let count = Int.random(in: 0...12, using: &generator)
                let store = try open(path, checkpointPages: Int.random(in: 5...60, using: &generator))
                // A second connection writes in turn, and a reader holds a part of the log back.
                let second = try open(path, checkpointPages: 20)
                if Bool.random(using: &generator) {
                    let raw = try RawConnection(path)
                    try raw.run("BEGIN")
                    _ = try raw.rows("SELECT count(*) FROM jobs")
                    try await add(count, to: store)
                    try await add(count, to: second)
                } else {
                    try await add(count, to: second)
                    try await add(count, to: store)
                }
                expected += 2 * count
                let header = try #require(try await store.engine.pool.read { $0.sqliteConnection.flatMap(DatabaseHeader.init) })
                for verifies in [false, true] { #expect(try LogFile(of: path, verifies: verifies).fits(header)) }
                store.close()
                second.close()
            }
            try await other.kill()
            #expect(try jobs(in: path) == expected)
        }
    }

    // MARK: Beneath an open database

    @Test(arguments: [true, false]) func aDatabaseThatIsNoLongerAtItsPathIsNotUsed(_ isReplaced: Bool) async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let store = try open(path)
            defer { store.close() }
            try await add(1, to: store)
            try store.maintenance.backup(to: folder + "/backup.db")
            unlink(path)
            if isReplaced { try FileManager.default.copyItem(atPath: folder + "/backup.db", toPath: path) }
            // The safety poll.
            for await _ in store.changes(of: .done) {
                // What is thrown is looked at below.
                if (try? store.jobs.lanes()) == nil { break }
            }
            #expect(await storeError { _ = try store.jobs.lanes() }?.kind == .incomplete)
            #expect(await storeError { try await add(1, to: store) }?.kind == .incomplete)
        }
    }

    // MARK: Where nothing may be written

    private func openReadOnly(_ path: String) throws -> QueueStore {
        var options = StoreOptions()
        options.isReadOnly = true
        return try QueueStore(path: path, options: options)
    }

    @Test func aDatabaseIsReadWhereNothingMayBeWritten() async throws {
        try await withFolder { folder in
            // The name is not taken for a part of SQLite's URI.
            let path = folder + "/50% of #1?.db"
            let writing = try open(path)
            try await add(3, to: writing)
            // Beside a process that writes, with its log.
            var store = try openReadOnly(path)
            #expect(try store.maintenance.statistics().count(.available) == 3)
            try await add(1, to: writing)
            #expect(try store.maintenance.statistics().count(.available) == 4)
            store.close()
            writing.close()
            // The file alone.
            unlink(path + "-lock")
            unlink(path + "-bell")
            let before = try files(folder)
            store = try openReadOnly(path)
            #expect(try store.jobs.list(JobFilter(), limit: 10).count == 4)
            #expect(await storeError { try await add(1, to: store) }?.kind == .permission)
            #expect(try files(folder) == before)
            try store.maintenance.backup(to: folder + "/backup.db")
            store.close()
            #expect(try jobs(in: folder + "/backup.db") == 4)
        }
    }

    @Test func aFileThatChangesWhileItIsReadIsNotBelieved() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let first = try open(path)
            try await add(1, to: first)
            first.close()
            let store = try openReadOnly(path)
            defer { store.close() }
            _ = try store.jobs.lanes()
            let writing = try open(path)
            try await add(1, to: writing)
            #expect(await storeError { _ = try store.jobs.lanes() }?.kind == .busy)
            writing.close()
        }
    }

    @Test func aLogWithoutItsIndexCannotBeReadThere() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try await addAndLeaveLog(3, to: path)
            let store = try openReadOnly(path)
            #expect(try store.maintenance.statistics().count(.available) == 3)
            store.close()
            unlink(path + "-shm")
            #expect(await storeError { try openReadOnly(path).close() }?.kind == .permission)
        }
    }

    @Test func aSecondNameIsRefused() async throws {
        try await withFolder { folder in
            try open(folder + "/q.db").close()
            #expect(link(folder + "/q.db", folder + "/other.db") == 0)
            #expect(await refusal(folder + "/q.db") == .permission)
            #expect(await refusal(folder + "/other.db") == .permission)
            unlink(folder + "/other.db")
            try open(folder + "/q.db").close()
        }
    }
}
