import AgentQueueMemory
import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Testing

@testable import AgentQueueStore

/// A database of a released version opens, holds what it held, and its work goes on.
///
/// `Resources/v007.db` was written by the programs of schema 7 (`Resources/make-v007` says how), and its worker was killed in the
/// middle of its work. It is never made anew: a later schema brings a file of its own.
@Suite struct MigrationTests {
    /// Just after the file was written.
    private static let now: Int64 = 1_796_009_120_000

    /// Lends a copy of the database, opened, and one that nothing has opened.
    private func withDatabase(
        _ body: (_ store: QueueStore, _ before: RawConnection, _ clock: TestClock) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let source = URL(filePath: #filePath).appending(path: "../../Resources/v007.db").standardized.path()
            for name in ["before.db", "q.db"] {
                try FileManager.default.copyItem(atPath: source, toPath: folder + "/" + name)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/" + name)
            }
            let clock = TestClock()
            clock.wall = Self.now
            let store = try QueueStore(path: folder + "/q.db", options: StoreOptions(durability: .normal, clock: clock.storeClock))
            defer { store.close() }
            try await body(store, try RawConnection(folder + "/before.db"), clock)
        }
    }

    // MARK: What is in the file

    @Test func theFileHoldsEverythingThatMustBeFound() async throws {
        try await withDatabase { _, before, _ in
            #expect(try before.value("PRAGMA user_version") == "7")
            func values(_ sql: String) throws -> Set<String> { Set(try before.rows(sql).map { $0[0] }) }
            #expect(try values("SELECT state FROM jobs") == Set(JobState.allCases.map(\.rawValue)))
            #expect(try values("SELECT kind FROM lanes") == ["generate", "embed", "memorize"])
            #expect(try values("SELECT state FROM runs") == ["running", "completed", "failed", "cancelled"])
            #expect(try values("SELECT state FROM notices") == ["waiting", "delivered", "failed"])
            #expect(try values("SELECT state FROM provider_batches") == ["collecting", "submitted", "cancelling", "ended"])
            #expect(try values("SELECT answered_by FROM results") == ["provider", "cache", "coalesced", "fallback"])
            #expect(try values("SELECT state FROM memory_spaces") == ["current", "building"])
            for table in [
                "cache_entries", "cache_vectors", "memories", "memory_changes", "memory_words", "schedules", "watches", "followers",
                "reservations", "run_ends", "stream_chunks", "dependencies", "ingests", "job_errors", "charges", "workers",
            ] {
                let count = try before.int("SELECT count(*) FROM \(table)") ?? 0
                #expect(count > 0, "\(table) is empty")
            }
        }
    }

    // MARK: Opening

    @Test func everyRowIsKept() async throws {
        try await withDatabase { store, before, _ in
            #expect(try QueueStore.migrations(of: store.path).pending == [])
            #expect(try store.maintenance.check().faults == [])
            let after = try RawConnection(store.path)
            // The index of words is SQLite's own; a search below asks it.
            let tables = try before.rows(
                """
                SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'memory_words%'
                AND name <> 'migrations' ORDER BY name
                """
            ).map { $0[0] }
            #expect(tables.count > 30)
            for table in tables {
                // The columns of then: a later schema may have more.
                let columns = try before.rows("SELECT name FROM pragma_table_info('\(table)')").map { "quote(\($0[0]))" }
                let rows = "SELECT \(columns.joined(separator: ", ")) FROM \(table) ORDER BY \(columns.joined(separator: ", "))"
                let (kept, written) = (try after.rows(rows), try before.rows(rows))
                #expect(kept == written, "\(table)")
            }
        }
    }

    @Test func jobsAreFound() async throws {
        try await withDatabase { store, before, _ in
            let jobs = try store.jobs.list(JobFilter(), limit: 1_000)
            #expect(jobs.count == 64)
            for job in jobs {
                let row = try #require(
                    try before.rows(
                        """
                        SELECT state, attempt, created_at, body, reply, answered_by,
                               (SELECT count(*) FROM job_errors WHERE job_id = jobs.id), (SELECT count(*) FROM job_tags WHERE job_id = jobs.id)
                        FROM jobs JOIN requests ON requests.job_id = jobs.id LEFT JOIN results ON results.job_id = jobs.id
                        WHERE jobs.id = \(job.id)
                        """
                    ).first)
                #expect([job.state.rawValue, "\(job.attempt)", "\(job.createdAt)", job.request.text] == Array(row[..<4]))
                #expect(job.result.map { $0.reply.text } ?? "NULL" == row[4])
                #expect(job.result.map { $0.answeredBy.rawValue } ?? "NULL" == row[5])
                #expect(["\(job.errors.count)", "\(job.tags.count)"] == Array(row[6...]))
            }
            #expect(jobs.first { $0.uniqueKey == "only-one" }?.result?.text == "echo with a schema")
            #expect(jobs.filter { $0.batch == "monday" }.map(\.budget) == [1.5, 1.5, 1.5])
            #expect(try store.jobs.stream(of: 55, after: 0).chunks.joined() == "echo HANG streaming and on and on")
            #expect(try store.jobs.queues().filter { $0.pausedAt != nil }.map(\.name) == ["quiet"])
            #expect(try store.providers.states().contains { if case .open = $0.breaker { true } else { false } })
        }
    }

    @Test func answersInTheCacheServe() async throws {
        try await withDatabase { store, before, _ in
            let entries = try store.cache.entries(limit: 1_000)
            #expect(entries.count == 29)
            for entry in entries { #expect(try store.cache.reply(entry.digest)?.reply == entry.reply) }
            let digest = try #require(try before.value("SELECT hex(digest) FROM jobs WHERE unique_key = 'only-one'")).lowercased()
            let again = try #require(entries.first { entry in entry.digest.map { String(format: "%02x", $0) }.joined() == digest })
            var job = NewJob.asking("x", of: "scripted/m")
            job.digest = again.digest
            let id = try await store.jobs.enqueue(job).id
            #expect(try store.jobs.get(id)?.result?.answeredBy == .cache)
            #expect(try store.jobs.get(id)?.result?.text == "echo with a schema")
        }
    }

    @Test func memoriesAreFoundByWordsAndByNearness() async throws {
        try await withDatabase { store, _, _ in
            let memories = try store.memories.list(in: nil, after: 0, limit: 100)
            #expect(memories.count == 8)
            let search = MemorySearch(store)
            var words = MemoryQuery(namespaces: ["default"], text: "closes seven")
            words.mode = .words
            let found = try await search.answer([words])[0].hits.map(\.memory)
            #expect(found.first?.key == "hours" && found.first?.text == "The shop closes at seven.")
            // Each one's own vector finds it first.
            for namespace in ["default", "moving", "notes", "own"] {
                let vectors = try store.memories.withSnapshot { snapshot in
                    let space = try #require(try snapshot.namespace(named: namespace)?.space)
                    return try snapshot.vectors(of: memories.filter { $0.namespace == namespace }.map(\.id), in: space)
                }
                #expect(!vectors.isEmpty)
                for (id, vector) in vectors {
                    let hits = try await search.answer([MemoryQuery(namespaces: [namespace], vector: vector)])[0].hits
                    #expect(hits.first?.memory.id == id)
                    #expect(abs((hits.first?.score ?? 0) - 1) < 1e-5)
                }
            }
        }
    }

    @Test func runsSchedulesBatchesAndNotificationsAreFound() async throws {
        try await withDatabase { store, _, _ in
            let runs = try store.runs.list(limit: 10).sorted { $0.id < $1.id }
            #expect(runs.map(\.state) == [.completed, .failed, .running, .running, .cancelled])
            #expect(try store.runs.detail(1)?.output == "echo Item a of echo Say hello;echo Item b of echo Say hello;")
            #expect(try store.runs.detail(1)?.calls.count == 3)
            #expect(try store.runs.snapshot(3)?.steps.keys.sorted() == ["first", "second"])
            #expect(try store.schedules.list().map(\.name).sorted() == ["paused", "report", "weekly"])
            #expect(try store.schedules.get(named: "weekly")?.timeZone == "Europe/Lisbon")
            #expect(try store.schedules.get(named: "paused")?.nextAt == nil)
            #expect(try store.providerBatches.list().map(\.state).count { $0 == .submitted } == 2)
            #expect(
                try store.providerBatches.list().map(\.remoteID).compactMap(\.self).sorted() == [
                    "batch_1", "batch_2", "batch_3", "batch_4",
                ])
            #expect(
                try store.notifications.list(limit: 10).map(\.state.rawValue).sorted() == ["delivered", "delivered", "failed", "waiting"])
        }
    }

    // MARK: Going on

    @Test func itsWorkGoesOn() async throws {
        try await withDatabase { store, _, clock in
            let worker = try await store.claims.registerWorker()
            // Its worker is gone: what that had under way is taken from it.
            var rescued = 0
            while case let count = try await store.maintenance.rescue(), count > 0 { rescued += count }
            #expect(rescued == 4)
            _ = try await store.claims.unregisterWorker(8)
            #expect(try store.maintenance.check().faults == [])

            #expect(try store.schedules.due(limit: 10).isEmpty)
            clock.advance(24 * 3_600_000)
            #expect(try store.schedules.due(limit: 10).map(\.name).sorted() == ["report", "weekly"])

            let request = ClaimRequest(
                worker: worker.id, queues: nil, providers: ["scripted", "limited", "dead", "paused", "embed"], slots: 10, lease: 60_000,
                isIdle: true)
            var answered = 0
            for _ in 0..<100 {
                _ = try await store.maintenance.promote()
                while try await store.maintenance.cascade() {}
                while try await store.maintenance.fanOut() {}
                while try await store.runs.sweep() {}
                let jobs = try await store.claims.claim(request).jobs
                for job in jobs where try await store.claims.settle(.answer(job)) == .settled(.completed) { answered += 1 }
                if jobs.isEmpty, answered > 0 { break }
            }
            #expect(answered > 10)
            #expect(try store.maintenance.check().faults == [])
            // What is left waits for a time, for a person, for a batch of the provider, or for the planner of its run.
            let states = try Set(store.jobs.list(JobFilter(), limit: 1_000).filter { !$0.state.isFinal }.map(\.state))
            #expect(states.isSubset(of: [.scheduled, .available, .pending]))
            #expect(try store.jobs.queues().filter { $0.pausedAt == nil }.allSatisfy { $0.count(.available) == 0 })
            #expect(try await store.jobs.enqueue([.asking("new")]).count == 1)
        }
    }

    // MARK: Two versions at once

    /// A process of an older version that is attached goes on reading and writing beside this one.
    @Test func anOlderProcessThatIsAttachedGoesOn() async throws {
        try await withDatabase { store, _, _ in
            let old = try RawConnection(store.path)
            let jobs = try old.int("SELECT count(*) FROM jobs")
            let id = try await store.jobs.enqueue(.asking("beside it")).id
            #expect(try old.int("SELECT count(*) FROM jobs") == jobs.map { $0 + 1 })
            try old.run("UPDATE requests SET metadata = '{}' WHERE job_id = \(id)")
            #expect(try store.jobs.get(id)?.metadata == .object([]))
            #expect(try store.maintenance.check().faults == [])
        }
    }

    /// One that knows fewer steps than the file has is refused, in a sentence that says what to do.
    @Test func anOlderProcessThatOpensItLaterIsRefused() async throws {
        try await withDatabase { store, _, _ in
            store.close()
            let version = try #require(try RawConnection(store.path).int("PRAGMA user_version"))
            try RawConnection(store.path).run("PRAGMA user_version = \(version + 1)")
            let error = await storeError { try QueueStore(path: store.path).close() }
            #expect(error?.kind == .newerSchema)
            #expect(error?.message.contains("written by a later version (schema \(version + 1), this program knows \(version))") == true)
        }
    }
}
