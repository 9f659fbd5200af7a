import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import GRDB
import Glibc
import Testing

@testable import AgentQueueStore

@Suite struct OpeningTests {
    private func open(_ path: String, createsFile: Bool = true, migrates: Bool = true) throws -> QueueStore {
        try QueueStore(path: path, options: StoreOptions(durability: .normal, createsFile: createsFile, migrates: migrates))
    }

    private func refusal(_ path: String, createsFile: Bool = true, migrates: Bool = true) async -> StoreError.Kind? {
        await storeError { try open(path, createsFile: createsFile, migrates: migrates).close() }?.kind
    }

    private func mode(_ path: String) throws -> mode_t {
        var status = stat()
        try #require(lstat(path, &status) == 0, "\(path)")
        return status.st_mode & 0o7777
    }

    /// A closed database with some jobs, its log emptied into it.
    private func make(_ path: String, jobs: Int = 20) async throws {
        let store = try open(path)
        for index in 0..<jobs { _ = try await store.jobs.enqueue(.with(.asking("\(index)")) { $0.tags = ["t"] }) }
        store.close()
        try RawConnection(path).run("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    // MARK: Settings in force

    @Test(arguments: Durability.allCases)
    func settingsAreInForce(_ durability: Durability) async throws {
        try await withStore(durability: durability) { f in
            func settings(_ database: Database) throws -> [String: String] {
                let names = [
                    "synchronous", "journal_mode", "foreign_keys", "cache_spill", "wal_autocheckpoint", "mmap_size", "auto_vacuum",
                    "trusted_schema", "cell_size_check", "temp_store", "application_id", "user_version", "journal_size_limit",
                ]
                return try names.reduce(into: [:]) { settings, name in
                    let row = try #require(try Row.fetchOne(database, sql: "PRAGMA \(name)"), "\(name)")
                    settings[name] = String.fromDatabaseValue(row[0]) ?? Int64.fromDatabaseValue(row[0]).map(String.init)
                }
            }
            var expected = [
                "synchronous": durability == .full ? "2" : "1", "journal_mode": "wal", "foreign_keys": "1", "cache_spill": "0",
                "wal_autocheckpoint": "0", "mmap_size": "0", "auto_vacuum": "2", "trusted_schema": "0", "cell_size_check": "1",
                "temp_store": "2",
                "application_id": "\(0x4147_5155)", "user_version": "10", "journal_size_limit": "33554432",
            ]
            func writerSettings() throws -> [String: String] { try f.store.engine.pool.writeWithoutTransaction(settings) }
            // On the connection that writes, as long as it lives.
            #expect(try writerSettings() == expected)
            try await f.add()
            _ = try await f.complete(f.one())
            #expect(try writerSettings() == expected)
            // A reader commits nothing, so its durability is of no account.
            expected["synchronous"] = nil
            #expect(try f.store.read { try settings($0.database) }.filter { $0.key != "synchronous" } == expected)
        }
    }

    @Test func whatAHostileFileCouldUseIsOff() async throws {
        try await withFolder { folder in
            try await make(folder + "/q.db")
            try RawConnection(folder + "/q.db").run(
                """
                CREATE TRIGGER planted AFTER INSERT ON jobs BEGIN DELETE FROM jobs; END;
                CREATE TABLE caught (x); CREATE TEMP TABLE t (x);
                """)
            let store = try open(folder + "/q.db")
            defer { store.close() }
            _ = try await store.jobs.enqueue(.asking("x"))
            #expect(try store.maintenance.statistics().count(.available) == 21)
            #expect(try store.maintenance.check().faults == [])
            let error = await storeError {
                try await store.write { _ = try $0.statement("SELECT \"no such column\"").first { $0.int64(0) } }
            }
            #expect(error != nil)
            #expect(await storeError { _ = try await store.write { try $0.statement("ATTACH ':memory:' AS other").run() } } != nil)
        }
    }

    // MARK: Files

    @Test func filesAreTheirOwnersAlone() async throws {
        try await withFolder { folder in
            let before = umask(0)
            defer { umask(before) }
            let path = folder + "/a/b/queue.db"
            let store = try open(path)
            _ = try await store.jobs.enqueue(.asking("x"))
            _ = try await store.claims.registerWorker()
            try store.maintenance.backup(to: folder + "/a/backup.db")
            for suffix in ["", "-wal", "-shm", "-lock", "-bell"] { #expect(try mode(path + suffix) == 0o600, "\(suffix)") }
            #expect(try mode(folder + "/a/backup.db") == 0o600)
            #expect(try mode(folder + "/a") == 0o700 && mode(folder + "/a/b") == 0o700)
            let here = try FileManager.default.contentsOfDirectory(atPath: folder + "/a/b")
            #expect(Set(here) == ["queue.db", "queue.db-wal", "queue.db-shm", "queue.db-lock", "queue.db-bell"])
            store.close()
            _ = try QueueStore.restore(from: folder + "/a/backup.db", to: folder + "/c/restored.db")
            #expect(try mode(folder + "/c/restored.db") == 0o600 && mode(folder + "/c") == 0o700)
        }
    }

    @Test func aSymbolicLinkIsRefused() async throws {
        try await withFolder { folder in
            try await make(folder + "/real.db")
            for suffix in ["", "-lock", "-bell"] {
                let path = folder + "/link\(suffix.dropFirst()).db"
                #expect(symlink(folder + "/real.db", path + suffix) == 0)
                #expect(await refusal(path) == .permission, "\(suffix)")
            }
            #expect(symlink(folder + "/nowhere", folder + "/dangling.db") == 0)
            #expect(await refusal(folder + "/dangling.db") == .permission)
            let store = try open(folder + "/real.db")
            #expect(symlink(folder + "/elsewhere", folder + "/backup.db") == 0)
            #expect(await storeError { try store.maintenance.backup(to: folder + "/backup.db") }?.kind == .permission)
            store.close()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).contains("elsewhere") == false)
        }
    }

    @Test func whatIsNoFileIsRefused() async throws {
        try await withFolder { folder in
            #expect(await refusal(folder) == .permission)
            #expect(await refusal(folder + "/nowhere.db", createsFile: false) == .notFound)
            #expect(await refusal("") == .notFound)
            #expect(await refusal(folder + "/a\0b.db") == .notFound)
            #expect(mkfifo(folder + "/fifo", 0o600) == 0)
            #expect(await refusal(folder + "/fifo") == .permission)
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/file"))
            #expect(await refusal(folder + "/file/q.db") == .permission)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["fifo", "file"], "nothing is left behind")
        }
    }

    @Test(.enabled(if: geteuid() == 0)) func anotherUsersFileIsRefused() async throws {
        try await withFolder { folder in
            try await make(folder + "/q.db")
            #expect(chown(folder + "/q.db", 65_534, 65_534) == 0)
            #expect(await refusal(folder + "/q.db") == .permission)
        }
    }

    @Test func anEmptyFileBecomesADatabase() async throws {
        try await withFolder { folder in
            try Data().write(to: URL(fileURLWithPath: folder + "/q.db"))
            let store = try open(folder + "/q.db")
            #expect(try await store.jobs.enqueue(.asking("x")).id == 1)
            #expect(try RawConnection(folder + "/q.db").rows("PRAGMA auto_vacuum") == [["2"]])
            store.close()
        }
    }

    @Test func aRelativePathIsMadeAbsolute() async throws {
        try await withFolder { folder in
            let here = FileManager.default.currentDirectoryPath
            let up = String(repeating: "../", count: here.split(separator: "/").count)
            let store = try open(up + folder.dropFirst() + "/q.db")
            #expect(store.path.hasPrefix("/"))
            store.close()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).contains("q.db"))
        }
    }

    /// Many at once make one database.
    @Test func manyOpenANewFileAtOnce() async throws {
        try await withFolder { folder in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<8 {
                    group.addTask {
                        let store = try open(folder + "/q.db")
                        _ = try await store.jobs.enqueue(.asking("\(index)"))
                        store.close()
                    }
                }
                try await group.waitForAll()
            }
            let store = try open(folder + "/q.db")
            #expect(try store.maintenance.statistics().count(.available) == 8)
            #expect(try store.maintenance.check().faults == [])
            store.close()
        }
    }

    /// SQLite's own lock on a live database (which says to others: do not delete the log) outlives the opening and closing
    /// of a second store: no descriptor of the file is opened but by SQLite.
    @Test(.enabled(if: access("/proc/locks", R_OK) == 0)) func aSecondStoreKeepsTheFirstOnesLocks() async throws {
        try await withStore { f in
            var status = stat()
            try #require(lstat(f.path, &status) == 0)
            // The list is read in pieces while other tests' locks come and go, and may lack a line; never twenty times.
            func isLocked() throws -> Bool {
                for _ in 0..<20 {
                    let list = try #require(fopen("/proc/locks", "r"))
                    defer { fclose(list) }
                    var line = [CChar](repeating: 0, count: 512)
                    while fgets(&line, 512, list) != nil {
                        let text = line.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
                        if text.contains(" POSIX "), text.contains(" \(getpid()) "), text.contains(":\(status.st_ino) ") { return true }
                    }
                }
                return false
            }
            _ = try f.store.jobs.lanes()
            try #require(try isLocked())
            let other = try f.another()
            #expect(try isLocked())
            other.close()
            #expect(try isLocked())
            _ = try QueueStore.migrations(of: f.path)
            #expect(try isLocked())
        }
    }

    // MARK: Files that are not ours, newer, altered, damaged

    @Test(arguments: ["WAL", "DELETE"])
    func anotherProgramsDatabaseIsLeftAsItIs(_ mode: String) async throws {
        try await withFolder { folder in
            let path = folder + "/theirs.db"
            let raw = try RawConnection(path, create: true)
            try raw.run("PRAGMA journal_mode = \(mode); CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
            if mode == "WAL" { try raw.run("PRAGMA wal_checkpoint(TRUNCATE)") }
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            #expect(await refusal(path) == .notOurs)
            #expect(await storeError { _ = try QueueStore.migrations(of: path) }?.kind == .notOurs)
            #expect(try raw.rows("PRAGMA journal_mode") == [[mode.lowercased()]])
            #expect(try raw.rows("SELECT name FROM sqlite_master") == [["theirs"]])
            #expect(try raw.rows("PRAGMA user_version") == [["0"]])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            let left = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }
            #expect(left == ["theirs.db"], "nothing is left beside it")
        }
    }

    @Test(arguments: ["not a database at all", String(repeating: "x", count: 10_000), "SQLite format 3\0 and nothing more"])
    func whatIsNoDatabaseIsRefused(_ text: String) async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            #expect(await refusal(path) == .notOurs)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(text.utf8))
        }
    }

    @Test func aNewerSchemaIsRefused() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try await make(path)
            try RawConnection(path).run("PRAGMA user_version = 11")
            let error = await storeError { try open(path).close() }
            #expect(error?.kind == .newerSchema)
            #expect(await storeError { _ = try QueueStore.migrations(of: path) }?.kind == .newerSchema)
            #expect(try RawConnection(path).rows("PRAGMA user_version") == [["11"]])
        }
    }

    @Test(arguments: [
        "UPDATE migrations SET checksum = 'another'", "DELETE FROM migrations", "DROP TABLE migrations",
        "INSERT INTO migrations VALUES (11, 'v011_more', 'x', 0)",
    ])
    func anAlteredHistoryIsRefused(_ sql: String) async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try await make(path)
            try RawConnection(path).run(sql)
            #expect(await refusal(path) == .alteredSchema)
        }
    }

    @Test func migrations() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let all = [
                "v001_jobs", "v002_limits", "v003_coalescing", "v004_provider_batches", "v005_semantic_cache", "v006_memory",
                "v007_runs", "v008_first_hour", "v009_production", "v010_gateway",
            ]
            #expect(try QueueStore.migrations(of: path) == (applied: [], pending: all))
            try open(path).close()
            #expect(try QueueStore.migrations(of: path) == (applied: all, pending: []))
            try open(path, migrates: false).close()
            let rows = try RawConnection(path).rows("SELECT version, name, length(checksum) FROM migrations")
            #expect(rows == all.enumerated().map { ["\($0 + 1)", $1, "64"] })
        }
    }

    /// A file of the first version keeps its jobs, and they run on.
    @Test func aFileOfTheFirstVersionIsMigrated() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
                "../../../migrations/sqlite/v001_jobs.sql")
            try await make(folder + "/new.db")
            let checksum = try #require(
                try RawConnection(folder + "/new.db").value("SELECT checksum FROM migrations WHERE version = 1"))
            let raw = try RawConnection(path, create: true)
            try raw.run(
                "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = \(DatabaseFile.applicationID); PRAGMA journal_mode = WAL")
            try raw.run(String(contentsOf: source, encoding: .utf8))
            try raw.run(
                """
                CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL)
                STRICT;
                INSERT INTO migrations VALUES (1, 'v001_jobs', '\(checksum)', 0);
                PRAGMA user_version = 1;
                INSERT INTO queues (name) VALUES ('default');
                INSERT INTO lanes (queue, provider, target, kind, available, discarded)
                VALUES ('default', 'local', 'local/m', 'generate', 2, 1);
                INSERT INTO batches (name, created_at, jobs, discarded) VALUES ('b', 5, 3, 1);
                """)
            for (digest, (state, end)) in [("available", "NULL"), ("available", "NULL"), ("discarded", "7")].enumerated() {
                try raw.run(
                    """
                    INSERT INTO jobs (lane_id, state, priority, max_attempts, created_at, scheduled_at, finalized_at, batch_id, digest)
                    VALUES (1, '\(state)', 5, 3, 1, 1, \(end), 1, CAST(printf('%032d', \(digest)) AS BLOB));
                    INSERT INTO requests (job_id, body) VALUES (last_insert_rowid(), '{"messages":[]}');
                    """)
            }
            try raw.run("INSERT INTO job_errors (job_id, attempt, at, class, message) VALUES (3, 1, 6, 'permanent', 'no such model')")
            #expect(await refusal(path, migrates: false) == .olderSchema)
            let store = try open(path)
            defer { store.close() }
            #expect(try QueueStore.migrations(of: path).pending == [])
            #expect(try store.maintenance.check().faults == [])
            let kept = try #require(try store.jobs.get(3))
            #expect(kept.state == .discarded && kept.batch == "b" && kept.budget == nil)
            #expect(kept.errors == [JobError(attempt: 1, at: 6, failure: .permanent, message: "no such model")])
            let worker = try await store.claims.registerWorker().id
            let request = ClaimRequest(worker: worker, queues: nil, providers: ["local"], slots: 9, lease: 60_000, isIdle: true)
            let jobs = try await store.claims.claim(request).jobs
            #expect(jobs.map(\.id) == [1, 2] && jobs.allSatisfy { $0.route == $0.target && !$0.isStreamed && !$0.isProbe })
            for job in jobs {
                var settle = SettleRequest.answer(job)
                settle.call = CallReport(target: job.target, cost: 0.5)
                #expect(try await store.claims.settle(settle) == .settled(.completed))
            }
            #expect(try store.providers.states().map(\.spentToday) == [1, 1])
            #expect(try store.maintenance.check().faults == [])
        }
    }

    @Test func aDamagedSchemaIsRefused() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try await make(path)
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            for index in 100..<4_096 { bytes[index] = 0xA5 }
            try bytes.write(to: URL(fileURLWithPath: path))
            #expect(await refusal(path) == .corrupt)
        }
    }

    /// Test 21: flipped bytes and truncations. Refused, or reported, or without effect; never a crash or a hang.
    @Test(.timeLimit(.minutes(2))) func damageIsHarmless() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            try await make(path, jobs: 60)
            let sound = try Data(contentsOf: URL(fileURLWithPath: path))
            var generator = SeededGenerator(seed: 21)
            var noticed = 0
            for round in 0..<120 {
                var bytes = sound
                if round.isMultiple(of: 6) {
                    bytes = bytes.prefix(Int.random(in: 1..<bytes.count, using: &generator))
                } else {
                    for _ in 0..<(1 << Int.random(in: 0...8, using: &generator)) {
                        bytes[Int.random(in: bytes.indices, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
                    }
                }
                for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
                try bytes.write(to: URL(fileURLWithPath: path))
                do {
                    let store = try open(path)
                    defer { store.close() }
                    if try !store.maintenance.check().isSound { noticed += 1 }
                    _ = try await store.jobs.enqueue(.asking("round \(round)"))
                    let request = ClaimRequest(worker: 1, queues: nil, providers: ["local"], slots: 9, lease: 1_000, isIdle: true)
                    for job in try await store.claims.claim(request).jobs { _ = try await store.claims.settle(.answer(job)) }
                    _ = try store.jobs.list(JobFilter(), limit: 100)
                } catch is StoreError {
                    noticed += 1
                } catch is JSONError {
                    noticed += 1
                }
            }
            #expect(noticed > 60)
        }
    }
}
