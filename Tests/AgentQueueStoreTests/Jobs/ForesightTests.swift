import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What adding jobs would come to, and what jobs wait for.
@Suite struct ForesightTests {
    @Test func aCachedAnswerAKeyAndACallAreToldApart() async throws {
        try await withStore { f in
            let job = try await f.running { $0 = .asking("known") }
            _ = try await f.complete(job, cacheFor: 10_000)
            try await f.add("holder") { $0.uniqueKey = "k" }
            let cancelled = try await f.add("gone") { $0.uniqueKey = "free" }
            _ = try await f.store.jobs.cancel(ids: [cancelled])

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
            let before = try f.store.maintenance.statistics()
            #expect(
                try f.store.jobs.preview([known, uncached, later, inTime, taken, free, .asking("new")]) == [
                    .cached, .call, .call, .cached, .taken, .call, .call,
                ])
            #expect(try f.store.jobs.preview([]) == [])
            #expect(try f.store.maintenance.statistics() == before, "looking changes nothing")

            f.clock.wall += 10_000
            #expect(try f.store.jobs.preview([known]) == [.call])
            known.after = [4_711]
            let error = await storeError { _ = try f.store.jobs.preview([known]) }
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
                    let preview = try f.store.jobs.preview([job])[0]
                    let added = try await f.store.jobs.enqueue(job)
                    #expect((preview == .taken) == (added.duplicateOf != nil))
                    #expect((preview == .cached) == (added.duplicateOf == nil && added.state == .completed))
                }
            }
        }
    }

    @Test func whatAJobWaitsForIsKnown() async throws {
        try await withStore { f in
            let first = try await f.running()
            let second = try await f.add { $0.after = [first.id] }
            #expect(try f.store.jobs.wait(of: first.id) == nil)
            #expect(try f.store.jobs.wait(of: 99) == nil)
            #expect(try f.store.jobs.wait(of: second) == .jobs([first.id]))

            // As coalescing and the batch API leave their jobs.
            let raw = try f.raw()
            let digest = "(SELECT digest FROM jobs WHERE id = \(first.id))"
            try raw.run("INSERT INTO followers (job_id, digest, lane_id, priority) VALUES (\(second), \(digest), 1, 5)")
            #expect(try f.store.jobs.wait(of: second) == .identicalJob(first.id))
            _ = try await f.complete(first)
            #expect([nil, .identicalJob(nil)].contains(try f.store.jobs.wait(of: second)))
            try raw.run("DELETE FROM followers")

            let third = try await f.running()
            let fourth = try await f.add { $0.after = [third.id] }
            try raw.run(
                """
                INSERT INTO provider_batches (target, provider, kind, state, label, created_at, due_at)
                VALUES ('local/m', 'local', 'generate', 'submitted', 'l', 1, 2);
                INSERT INTO provider_batch_jobs (batch_id, job_id, lane_id, digest, inputs, bytes)
                SELECT (SELECT max(id) FROM provider_batches), id, lane_id, digest, 1, 1 FROM jobs WHERE id = \(fourth);
                """)
            #expect(try f.store.jobs.wait(of: fourth) == .providerBatch(1, .submitted))
            try raw.run("DELETE FROM provider_batch_jobs; DELETE FROM provider_batches")
        }
    }

    @Test func batchesThatEndedAreListedWhereThatIsAsked() async throws {
        try await withStore { f in
            try f.raw().run(
                """
                INSERT INTO provider_batches (target, provider, kind, state, label, created_at, due_at) VALUES
                ('openai/m', 'openai', 'generate', 'ended', 'a', 1, 3), ('openai/m', 'openai', 'embed', 'collecting', 'b', 10, 30),
                ('anthropic/m', 'anthropic', 'generate', 'submitted', 'c', 11, 31)
                """)
            #expect(try f.store.providerBatches.list().map(\.id) == [3, 2, 1])
            #expect(try f.store.providerBatches.list(includesEnded: false).map(\.id) == [3, 2])
            #expect(try f.store.providerBatches.list(includesEnded: false, limit: 1).map(\.id) == [3])
            try f.raw().run("DELETE FROM provider_batches")
        }
    }
}
