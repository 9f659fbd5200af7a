import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueStore

@Suite struct BackupTests {
    private func open(_ path: String) throws -> QueueStore { try QueueStore(path: path, options: StoreOptions(durability: .normal)) }

    @Test func aBackupIsWholeAndStandsAlone() async throws {
        try await withStore { f in
            for index in 0..<50 { try await f.add("\(index)") }
            for job in try await f.claim(20) { _ = try await f.complete(job, cacheFor: 1_000_000) }
            let backup = f.folder + "/backup.db"
            try f.store.maintenance.backup(to: backup)
            let files = try FileManager.default.contentsOfDirectory(atPath: f.folder)
            #expect(files.filter { $0.hasPrefix("backup") } == ["backup.db"])
            try await f.add()
            let copy = try open(backup)
            #expect(try copy.maintenance.statistics().count(.available) == 30 && copy.maintenance.statistics().count(.completed) == 20)
            #expect(try copy.maintenance.check().faults == [])
            copy.close()
            #expect(await storeError { try f.store.maintenance.backup(to: backup) }?.kind == .conflict)
            #expect(await storeError { try f.store.maintenance.backup(to: f.path) }?.kind == .conflict)
            #expect(await storeError { try f.store.maintenance.backup(to: f.folder + "/nowhere/backup.db") } != nil)
        }
    }

    @Test func aBackupThatIsInterruptedLeavesNothing() async throws {
        try await withStore(durability: .normal) { f in
            // More than one step of a backup.
            for index in 0..<20 { try await f.add(String(repeating: "\(index)", count: 1 << 20)) }
            let before = try FileManager.default.contentsOfDirectory(atPath: f.folder)
            #expect(throws: CancellationError.self) { try f.store.maintenance.backup(to: f.folder + "/backup.db") { true } }
            #expect(try Set(FileManager.default.contentsOfDirectory(atPath: f.folder)) == Set(before))
        }
    }

    @Test(.enabled(if: SmallDisk.isPossible, "root mounts a small disk")) func aBackupThatFailsLeavesNothing() async throws {
        try await withStore(durability: .normal) { f in
            for index in 0..<4 { try await f.add(String(repeating: "\(index)", count: 1 << 20)) }
            try await SmallDisk.withDisk(mebibytes: 2) { disk in
                #expect(await storeError { try f.store.maintenance.backup(to: disk.path + "/backup.db") }?.kind == .full)
                let left = try FileManager.default.contentsOfDirectory(atPath: disk.path)
                #expect(left == [])
            }
        }
    }

    /// Beside work in progress, it is the state of one moment.
    @Test func aBackupBesideLiveWorkIsOfOneMoment() async throws {
        try await withStore(durability: .normal) { f in
            let work = Task {
                for index in 0..<300 where !Task.isCancelled {
                    try await f.add("\(index)")
                    _ = try await f.complete(f.one())
                }
            }
            for round in 0..<5 {
                let path = f.folder + "/backup-\(round).db"
                try f.store.maintenance.backup(to: path)
                let copy = try open(path)
                #expect(try copy.maintenance.check().faults == [])
                copy.close()
            }
            work.cancel()
            try await work.value
        }
    }

    @Test func aRestoreReplacesAndKeepsWhatStoodThere() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let backup = folder + "/backup.db"
            var store = try open(path)
            _ = try await store.jobs.enqueue(.asking("before"))
            try store.maintenance.backup(to: backup)
            _ = try await store.jobs.enqueue(.asking("after"))
            let worker = try await store.claims.registerWorker().id
            _ = try await store.claims.claim(
                ClaimRequest(worker: worker, queues: nil, providers: ["local"], slots: 1, lease: 1_000, isIdle: true))
            store.close()
            let aside = try #require(try QueueStore.restore(from: backup, to: path))
            #expect(aside.hasPrefix(path + ".replaced-"))
            store = try open(path)
            #expect(try store.maintenance.statistics().count(.available) == 1)
            #expect(try store.maintenance.check().faults == [])
            #expect(try await store.jobs.enqueue(.asking("more")).id == 2)
            store.close()
            // What was replaced is whole, with the part of it that was still in its log.
            let old = try open(aside)
            #expect(try old.maintenance.statistics().count(.available) == 1 && old.maintenance.statistics().count(.running) == 1)
            #expect(try old.maintenance.check().faults == [])
            old.close()
            #expect(try open(backup).maintenance.statistics().count(.available) == 1)
        }
    }

    @Test func aRestoreToNewPlace() async throws {
        try await withStore { f in
            try await f.add()
            try f.store.maintenance.backup(to: f.folder + "/backup.db")
            #expect(try QueueStore.restore(from: f.folder + "/backup.db", to: f.folder + "/new/q.db") == nil)
            let store = try open(f.folder + "/new/q.db")
            #expect(try store.maintenance.statistics().count(.available) == 1)
            store.close()
        }
    }

    @Test func aDatabaseInUseIsNotReplaced() async throws {
        try await withStore { f in
            let id = try await f.add()
            let backup = f.folder + "/backup.db"
            try f.store.maintenance.backup(to: backup)
            // By this process.
            #expect(await storeError { _ = try QueueStore.restore(from: backup, to: f.path) }?.kind == .busy)
            // By this process, under another spelling of the path.
            #expect(
                await storeError {
                    _ = try QueueStore.restore(from: backup, to: f.folder + "/../" + (f.folder as NSString).lastPathComponent + "/queue.db")
                }?.kind == .busy)
            #expect(try f.state(id) == .available)
        }
    }

    @Test func aDatabaseThatAnotherProcessUsesIsNotReplaced() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let store = try open(path)
            _ = try await store.jobs.enqueue(.asking("x"))
            try store.maintenance.backup(to: folder + "/backup.db")
            store.close()
            let process = try await LockHolder(path: path + "-lock", byte: 0, exclusive: false)
            #expect(await storeError { _ = try QueueStore.restore(from: folder + "/backup.db", to: path) }?.kind == .busy)
            try await process.kill()
            #expect(try QueueStore.restore(from: folder + "/backup.db", to: path) != nil)
            // And the other way round: while a process replaces it, nobody opens it.
            let restorer = try await LockHolder(path: path + "-lock", byte: 0, exclusive: true)
            let restoring = try await LockHolder(path: path + "-lock", byte: LockFile.restoreByte, exclusive: true)
            #expect(await storeError { _ = try open(path) }?.kind == .busy)
            try await restorer.kill()
            try await restoring.kill()
            try open(path).close()
        }
    }

    @Test func noOneOpensADatabaseThatThisProcessReplaces() async throws {
        try await withFolder { folder in
            try open(folder + "/q.db").close()
            let locks = try LockFile.shared(at: folder + "/q.db-lock")
            let error = try locks.whileUnused { () -> StoreError? in
                do {
                    try open(folder + "/q.db").close()
                    return nil
                } catch let error as StoreError { return error }
            }
            #expect(error?.kind == .busy)
            try open(folder + "/q.db").close()
        }
    }

    @Test func whatIsNoSoundBackupIsRefusedAndNothingReplaced() async throws {
        try await withFolder { folder in
            let path = folder + "/q.db"
            let store = try open(path)
            for index in 0..<40 { _ = try await store.jobs.enqueue(.asking("\(index)")) }
            try store.maintenance.backup(to: folder + "/good.db")
            store.close()
            let sound = try Data(contentsOf: URL(fileURLWithPath: folder + "/good.db"))
            func restore(_ name: String) async -> StoreError.Kind? {
                await storeError { _ = try QueueStore.restore(from: folder + "/" + name, to: path) }?.kind
            }
            #expect(await restore("nowhere.db") == .notFound)
            try Data("no database".utf8).write(to: URL(fileURLWithPath: folder + "/text.db"))
            #expect(await restore("text.db") == .notOurs)
            try RawConnection(folder + "/theirs.db", create: true).run("CREATE TABLE theirs (x)")
            #expect(await restore("theirs.db") == .notOurs)
            try sound.write(to: URL(fileURLWithPath: folder + "/newer.db"))
            try RawConnection(folder + "/newer.db").run("PRAGMA user_version = 99")
            #expect(await restore("newer.db") == .newerSchema)
            var damaged = sound
            for index in 8_192..<damaged.count - 4_096 { damaged[index] = 0x5A }
            try damaged.write(to: URL(fileURLWithPath: folder + "/damaged.db"))
            #expect(await restore("damaged.db") == .corrupt)
            try sound.prefix(sound.count / 2).write(to: URL(fileURLWithPath: folder + "/cut.db"))
            #expect(await restore("cut.db") == .corrupt)
            // Onto itself.
            #expect(await restore("q.db") == .conflict)
            #expect(await restore("./q.db") == .conflict)
            let again = try open(path)
            #expect(try again.maintenance.statistics().count(.available) == 40)
            again.close()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).allSatisfy { !$0.contains("replaced") })
        }
    }

    @Test func vacuumRewritesTheFile() async throws {
        try await withStore(durability: .normal) { f in
            _ = try await f.store.jobs.enqueue((0..<500).map { .asking(String(repeating: "\($0) ", count: 300)) })
            _ = try await f.store.jobs.cancel(where: JobFilter())
            _ = try await f.store.jobs.delete(where: JobFilter())
            #expect(await storeError { try f.store.maintenance.vacuum() }?.kind == .busy, "a worker is registered")
            try await f.store.claims.unregisterWorker(f.worker)
            let before = try f.store.maintenance.statistics()
            try f.store.maintenance.vacuum()
            let after = try f.store.maintenance.statistics()
            #expect(after.freeBytes == 0 && after.databaseBytes < before.databaseBytes / 2)
            try await f.add()
            #expect(try f.raw().rows("PRAGMA auto_vacuum") == [["2"]])
        }
    }
}
