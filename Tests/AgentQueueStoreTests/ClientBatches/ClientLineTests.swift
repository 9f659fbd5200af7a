import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// How requests of a client's batch end, and how it is found out.
@Suite struct ClientLineTests {
    @Test func everyKindOfEndIsNotedInItsOrder() async throws {
        try await withStore { f in
            // The cache answers the first at once, and the second and third share a call.
            var seed = NewJob.asking("seed")
            seed.useCache = true
            try await f.add(seed)
            let seeded = try await f.one()
            _ = try await f.complete(seeded, cacheFor: 60_000)
            let batch = try await f.batch(1, lines: 7)
            #expect(try await f.store.clientBatches.take(batch.id, server: f.worker))
            var lines = f.lines(1...6)
            func job(_ name: String) -> Result<NewJob, LineError> {
                var job = NewJob.asking(name)
                job.maxAttempts = 1
                return .success(job)
            }
            lines[0].job = job("seed")
            lines[1].job = job("twin")
            lines[2].job = job("twin")
            lines[3].job = job("fails")
            lines[4].job = job("declined")
            var late = NewJob.asking("late")
            late.expiresAt = f.clock.wall + 1_000
            lines[5].job = .success(late)
            lines.append(NewLine(line: 7, customID: "id-7", job: .failure(LineError(["message": "wrong"]))))
            #expect(try await f.store.clientBatches.add(lines, to: batch.id, after: 0, server: f.worker) == false)
            try await f.store.clientBatches.completeIngest(batch.id, lines: 7, server: f.worker)
            var ended = try f.store.clientBatches.ended(batch.id, after: 0, limit: 99)
            #expect(ended.map(\.line) == [1, 7] && ended.map(\.mark) == [1, 2])
            #expect(ended.map(\.outcome) == [.succeeded, .failed] && ended[1].error == ["message": "wrong"] && ended[1].job == nil)

            for job in try await f.claim(3) {
                switch job.body {
                case let body where body.contains("twin"): _ = try await f.complete(job)
                case let body where body.contains("fails"): _ = try await f.fail(job, .permanent)
                default: _ = try await f.fail(job, .refused)
                }
            }
            f.clock.advance(2_000)
            _ = try await f.store.maintenance.expire()
            ended = try f.store.clientBatches.ended(batch.id, after: 2, limit: 99)
            #expect(Set(ended.map(\.line)) == [2, 3, 4, 5, 6] && ended.map(\.mark) == [3, 4, 5, 6, 7])
            let outcomes = Dictionary(uniqueKeysWithValues: ended.map { ($0.line, $0.outcome) })
            #expect(outcomes == [2: .succeeded, 3: .succeeded, 4: .failed, 5: .succeeded, 6: .expired])
            #expect(try f.store.clientBatches.ended(batch.id, after: 0, limit: 3).count == 3)
            let counts = try #require(try f.store.clientBatches.find("batch_1", key: 7)).counts
            #expect(counts.total == 7 && counts.succeeded == 4 && counts.failed == 2 && counts.expired == 1 && counts.ended == 7)
            #expect(try f.store.clientBatches.tasks().map(\.step) == [.finish])
            #expect(try await f.finish(batch).state == .expired)
        }
    }

    @Test func aJobThatIsRetriedOpensItsRequestAgain() async throws {
        try await withStore { f in
            let batch = try await f.filledBatch(1, lines: 1) { $0.maxAttempts = 1 }
            let job = try await f.one()
            _ = try await f.fail(job, .permanent)
            #expect(try f.store.clientBatches.ended(batch.id, after: 0, limit: 9).map(\.mark) == [1])
            _ = try await f.store.jobs.retry(ids: [job.id])
            #expect(try f.store.clientBatches.find("batch_1", key: 7)?.counts.failed == 0)
            #expect(try f.store.clientBatches.tasks().isEmpty)
            #expect(try await !f.store.clientBatches.beginFinish(batch.id, server: f.worker))
            _ = try await f.complete(try await f.one())
            let ended = try f.store.clientBatches.ended(batch.id, after: 1, limit: 9)
            #expect(ended.map(\.mark) == [2] && ended.map(\.outcome) == [.succeeded])
        }
    }

    @Test func aRetryChangesNothingOnceTheFilesAreWritten() async throws {
        try await withStore { f in
            let batch = try await f.filledBatch(1, lines: 1) { $0.maxAttempts = 1 }
            let job = try await f.one()
            _ = try await f.fail(job, .permanent)
            #expect(try await f.store.clientBatches.beginFinish(batch.id, server: f.worker))
            _ = try await f.store.jobs.retry(ids: [job.id])
            #expect(try f.store.clientBatches.find("batch_1", key: 7)?.counts.failed == 1)
            #expect(try await f.finish(batch).state == .completed)
        }
    }

    @Test func jobsStayUntilTheirBatchHasEnded() async throws {
        try await withStore { f in
            let policy = PrunePolicy(completed: 0, cancelled: 0, discarded: 0)
            let batch = try await f.filledBatch(1, lines: 2)
            let job = try await f.one()
            _ = try await f.complete(job)
            f.clock.advance(1_000)
            #expect(try await f.store.maintenance.prune(policy, dryRun: true).jobs == 0)
            #expect(try await f.store.maintenance.prune(policy).jobs == 0)
            #expect(try await f.store.jobs.delete(ids: [job.id]).map(\.result) == [.refused("the batch that it belongs to has not ended")])
            _ = try await f.complete(try await f.one())
            try await f.finish(batch)
            f.clock.advance(1_000)
            #expect(try await f.store.maintenance.prune(policy).jobs == 2)
            f.clock.advance(31 * 86_400_000)
            #expect(try await f.store.maintenance.prune(policy, dryRun: true).clientBatches == 1)
            #expect(try await f.store.maintenance.prune(policy).clientBatches == 1)
            #expect(try f.count(of: "client_lines") == 0)
            #expect(try f.count(of: "client_batches") == 0)
        }
    }
}
