import JobModel
import Testing

@testable import QueueStore

/// What adding jobs would come to, and what jobs wait for.
@Suite struct ForesightTests {
    @Test func aCachedAnswerAKeyAndACallAreToldApart() async throws {
        try await withStore { f in
            let job = try await f.running { $0 = .asking("known") }
            _ = try await f.complete(job, cacheFor: 10_000)
            try await f.add("holder") { $0.uniqueKey = "k" }
            let cancelled = try await f.add("gone") { $0.uniqueKey = "free" }
            _ = try await f.store.cancel(ids: [cancelled])

            var known = NewJob.asking("known")
            var uncached = known
            uncached.useCache = false
            var later = known
            later.scheduledAt = f.clock.wall + 10_000
            var inTime = known
            inTime.scheduledAt = f.clock.wall + 9_999
            var taken = known
            taken.uniqueKey = "k"
            var free = NewJob.asking("other")
            free.uniqueKey = "free"
            let before = try f.store.statistics()
            #expect(
                try f.store.foresee([known, uncached, later, inTime, taken, free, .asking("new")]) == [
                    .cached, .call, .call, .cached, .taken, .call, .call,
                ])
            #expect(try f.store.foresee([]) == [])
            #expect(try f.store.statistics() == before, "looking changes nothing")

            f.clock.wall += 10_000
            #expect(try f.store.foresee([known]) == [.call])
            known.after = [4_711]
            let error = await storeError { _ = try f.store.foresee([known]) }
            #expect(error?.kind == .conflict)
            #expect(error?.message.contains("job 4711") == true)
        }
    }

    /// Whatever is foreseen is what enqueueing then does.
    @Test func itIsWhatEnqueueingDoes() async throws {
        try await withStore { f in
            let answered = try await f.running { $0 = .asking("a") }
            _ = try await f.complete(answered, cacheFor: 10_000)
            try await f.add("b") { $0.uniqueKey = "k" }
            for job in [NewJob.asking("a"), .asking("b"), .asking("c")] {
                for key in [nil, "k"] {
                    var job = job
                    job.uniqueKey = key
                    let foresight = try f.store.foresee([job])[0]
                    let added = try await f.store.enqueue(job)
                    #expect((foresight == .taken) == (added.duplicateOf != nil))
                    #expect((foresight == .cached) == (added.duplicateOf == nil && added.state == .completed))
                }
            }
        }
    }

    @Test func whatAJobWaitsForIsKnown() async throws {
        try await withStore { f in
            let first = try await f.running()
            let second = try await f.add { $0.after = [first.id] }
            #expect(try f.store.wait(of: first.id) == nil)
            #expect(try f.store.wait(of: 99) == nil)
            #expect(try f.store.wait(of: second) == .jobs([first.id]))

            // As coalescing and the batch API leave their jobs.
            let raw = try f.raw()
            let digest = "(SELECT digest FROM jobs WHERE id = \(first.id))"
            try raw.run("INSERT INTO followers (job_id, digest, lane_id, priority) VALUES (\(second), \(digest), 1, 5)")
            #expect(try f.store.wait(of: second) == .identicalJob(first.id))
            _ = try await f.complete(first)
            #expect([nil, .identicalJob(nil)].contains(try f.store.wait(of: second)))
            try raw.run("DELETE FROM followers")

            let third = try await f.running()
            let fourth = try await f.add { $0.after = [third.id] }
            try raw.run(
                """
                INSERT INTO provider_batches (target, provider, kind, state, label, created_at, due_at)
                VALUES ('local/m', 'local', 'generate', 'submitted', 'l', 1, 2);
                INSERT INTO provider_batch_jobs (job_id, batch_id, digest, bytes)
                SELECT id, (SELECT max(id) FROM provider_batches), digest, 1 FROM jobs WHERE id = \(fourth);
                """)
            #expect(try f.store.wait(of: fourth) == .providerBatch(1, state: "submitted"))
            try raw.run("DELETE FROM provider_batch_jobs; DELETE FROM provider_batches")
        }
    }

    @Test func batchesAtTheProvidersAreListed() async throws {
        try await withStore { f in
            #expect(try f.store.providerBatches(includesEnded: true, limit: 10) == [])
            try f.raw().run(
                """
                INSERT INTO provider_batches (target, provider, kind, state, label, remote_id, jobs, created_at, submitted_at, due_at,
                expires_at, error) VALUES ('openai/m', 'openai', 'generate', 'ended', 'a', 'batch_1', 0, 1, 2, 3, 4, 'it ended'),
                ('openai/m', 'openai', 'embed', 'collecting', 'b', NULL, 7, 10, NULL, 30, NULL, NULL),
                ('anthropic/m', 'anthropic', 'generate', 'submitted', 'c', 'msgbatch_1', 8, 11, 20, 31, 40, NULL)
                """)
            let open = try f.store.providerBatches(limit: 10)
            #expect(open.map(\.id) == [3, 2])
            #expect(open.map(\.kind) == [.generate, .embed])
            #expect((open[1].remoteID, open[1].submittedAt, open[1].expiresAt, open[1].error) == (nil, nil, nil, nil))
            let ended = try #require(try f.store.providerBatches(includesEnded: true, limit: 10).last)
            #expect((ended.target, ended.state, ended.remoteID, ended.jobs) == ("openai/m", "ended", "batch_1", 0))
            #expect((ended.createdAt, ended.submittedAt, ended.dueAt, ended.expiresAt, ended.error) == (1, 2, 3, 4, "it ended"))
            #expect(try f.store.providerBatches(includesEnded: true, limit: 1).map(\.id) == [3])
            try f.raw().run("DELETE FROM provider_batches")
        }
    }
}
