import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct EnqueueTests {
    @Test func everythingIsKept() async throws {
        try await withStore { f in
            let first = try await f.add("first")
            var job = NewJob.asking("second", of: "other/org/model", kind: .embed)
            job.queue = "naps"
            job.priority = 2
            job.maxAttempts = 7
            job.scheduledAt = f.clock.wall + 5_000
            job.expiresAt = f.clock.wall + 9_000
            job.timeout = 1_234
            job.uniqueKey = "k' OR 1=1 --"
            job.customID = "row-\u{202e}7"
            job.tags = ["b", "a", "b", "x;DROP TABLE jobs"]
            job.batch = "nightly"
            job.after = [first, first]
            job.metadata = ["z": [1, 2.5, .null], "a": "\u{1b}[31m", "big": .digits("123456789012345678901")]
            job.useCache = false
            let receipt = try await f.store.jobs.enqueue(job)
            #expect(receipt == Enqueued(id: 2, state: .pending))
            let stored = try f.job(2)
            #expect(stored.kind == .embed && stored.queue == "naps" && stored.target.description == "other/org/model")
            #expect(stored.state == .pending && stored.priority == 2 && stored.attempt == 0 && stored.maxAttempts == 7)
            #expect(
                stored.createdAt == f.clock.wall && stored.scheduledAt == f.clock.wall + 5_000 && stored.expiresAt == f.clock.wall + 9_000)
            #expect(stored.timeout == 1_234 && stored.uniqueKey == job.uniqueKey && stored.customID == job.customID)
            #expect(stored.tags == ["a", "b", "x;DROP TABLE jobs"] && stored.batch == "nightly" && stored.after == [first])
            #expect(stored.metadata == job.metadata && stored.metadata?.text == job.metadata?.text && !stored.useCache)
            #expect(stored.request.text == job.body && stored.digest == job.digest)
            #expect(stored.attemptedAt == nil && stored.finalizedAt == nil && stored.worker == nil && stored.result == nil)
            #expect(try f.store.jobs.batch(named: "nightly") == BatchProgress(jobs: 1, completed: 0, cancelled: 0, discarded: 0))
            #expect(try f.store.jobs.batch(named: "nightly")?.isDone == false)
            #expect(try f.store.jobs.batch(named: "another") == nil)
        }
    }

    @Test func textsComeBackByteForByte() async throws {
        try await withStore { f in
            for text in [
                "", "\0a\0", "\u{1b}[2J", "é", "e\u{301}", "\u{10FFFF}", "'; DROP TABLE jobs; --", String(repeating: "x", count: 3_000_000),
            ] {
                var job = NewJob.asking(text)
                job.metadata = ["m": .string(text)]
                let id = try await f.add(job)
                let stored = try f.job(id)
                #expect(Array(stored.request.text.utf8) == Array(job.body.utf8))
                #expect(stored.metadata?["m"]?.string.map { Array($0.utf8) } == Array(text.utf8))
                #expect(try await f.claim(1).first.map { Array($0.body.utf8) } == Array(job.body.utf8))
            }
        }
    }

    // MARK: The order of the rules

    @Test func aTimeMakesItScheduled() async throws {
        try await withStore { f in
            let later = try await f.store.jobs.enqueue(.with(f) { $0.scheduledAt = f.clock.wall + 1 })
            let now = try await f.store.jobs.enqueue(.with(f) { $0.scheduledAt = f.clock.wall })
            let before = try await f.store.jobs.enqueue(.with(f) { $0.scheduledAt = f.clock.wall - 1 })
            #expect([later.state, now.state, before.state] == [.scheduled, .available, .available])
        }
    }

    @Test func aCachedAnswerCompletesOnTheSpot() async throws {
        try await withStore { f in
            let job = NewJob.asking("again", of: "local/m")
            try await f.add(job)
            #expect(try await f.complete(f.one(), "yes", cacheFor: 60_000) == .settled(.completed))
            let second = try await f.store.jobs.enqueue(job)
            #expect(second.state == .completed)
            let stored = try f.job(second.id)
            #expect(stored.result?.reply["text"] == "yes" && stored.result?.answeredBy == .cache && stored.result?.cost == 0)
            #expect(stored.result?.target == "local/m" && stored.result?.usage == Usage(inputTokens: 10, outputTokens: 3))
            #expect(stored.finalizedAt == f.clock.wall && stored.attempt == 0 && stored.result?.latency == 0)
            let lane = try #require(try f.store.jobs.lanes().first)
            #expect(lane.calls == 1 && lane.cacheAnswers == 1 && lane.cost == 0.25 && lane.saved == 0.25 && lane.count(.completed) == 2)
            #expect(
                try f.store.cache.statistics()
                    == CacheStatistics(entries: 1, bytes: try f.store.cache.statistics().bytes, hits: 1, misses: 1, saved: 0.25)
            )

            // Not for a job that opts out, nor past the entry's life.
            #expect(try await f.store.jobs.enqueue(.with(job) { $0.useCache = false }).state == .available)
            f.clock.wall += 59_999
            #expect(try await f.store.jobs.enqueue(job).state == .completed)
            f.clock.wall += 1
            #expect(try await f.store.jobs.enqueue(job).state == .available)
        }
    }

    /// unique key, then dependencies, then time, then cache: each goes before all that follow.
    @Test func theRulesHaveAnOrder() async throws {
        try await withStore { f in
            let cached = NewJob.asking("cached")
            try await f.add(cached)
            _ = try await f.complete(f.one(), cacheFor: 60_000)
            let open = try await f.add()
            let later = f.clock.wall + 1_000
            let keyed = try await f.store.jobs.enqueue(
                .with(cached) {
                    $0.uniqueKey = "k"
                    $0.scheduledAt = later
                })
            #expect(keyed.state == .scheduled, "a time goes before the cache")
            #expect(
                try await f.store.jobs.enqueue(
                    .with(cached) {
                        $0.after = [open]
                        $0.scheduledAt = later
                    }
                ).state == .pending)
            #expect(try await f.store.jobs.enqueue(.with(cached) { $0.after = [open] }).state == .pending)
            let duplicate = Enqueued(id: keyed.id, state: .scheduled, duplicateOf: keyed.id)
            #expect(try await f.store.jobs.enqueue(.with(cached) { $0.uniqueKey = "k" }) == duplicate)
            #expect(
                try await f.store.jobs.enqueue(
                    .with(cached) {
                        $0.uniqueKey = "k"
                        $0.after = [open]
                        $0.scheduledAt = later
                    }) == duplicate)
            let completed = try #require(try f.store.jobs.list(JobFilter(states: [.completed]), limit: 1).first).id
            #expect(try await f.store.jobs.enqueue(.with(cached) { $0.after = [completed] }).state == .completed)
        }
    }

    @Test func aUniqueKeyGoesBeforeADependencyThatFailed() async throws {
        try await withStore { f in
            let keyed = try await f.add { $0.uniqueKey = "k" }
            let failed = try await f.add()
            _ = try await f.store.jobs.cancel(ids: [failed])
            let receipt = try await f.store.jobs.enqueue(
                .with(f) {
                    $0.uniqueKey = "k"
                    $0.after = [failed]
                })
            #expect(receipt == Enqueued(id: keyed, state: .available, duplicateOf: keyed))
            #expect(try f.count(of: "jobs") == 2)
        }
    }

    @Test func aUniqueKeyGoesBeforeADependencyThatIsGone() async throws {
        try await withStore { f in
            let first = try await f.add()
            let keyed = try await f.add {
                $0.uniqueKey = "k"
                $0.after = [first]
            }
            _ = try await f.store.jobs.cancel(ids: [first])
            _ = try await f.store.jobs.retry(ids: [first])
            _ = try await f.complete(f.one())
            try await f.cascade()
            _ = try await f.complete(f.one())
            #expect(try await f.store.jobs.delete(ids: [first]) == [JobChange(id: first, result: .changed(.completed))])
            // The same line, enqueued again by a script that does not know that it ran.
            let receipt = try await f.store.jobs.enqueue(
                .with(f) {
                    $0.uniqueKey = "k"
                    $0.after = [first]
                })
            #expect(receipt == Enqueued(id: keyed, state: .completed, duplicateOf: keyed))
        }
    }

    // MARK: Unique keys

    @Test func aKeyBindsUntilItsJobIsCancelledDiscardedOrGone() async throws {
        try await withStore { f in
            func enqueue() async throws -> Enqueued { try await f.store.jobs.enqueue(.with(f) { $0.uniqueKey = "k" }) }
            let first = try await enqueue()
            #expect(first.duplicateOf == nil)
            #expect(try await enqueue() == Enqueued(id: first.id, state: .available, duplicateOf: first.id))
            _ = try await f.claim(1)
            #expect(try await enqueue().state == .running)
            let claimed = try f.job(first.id)
            #expect(claimed.state == .running)
            _ = try await f.store.jobs.cancel(ids: [first.id])
            let lease = try #require(try await f.cancellations().first)
            #expect(lease.jobID == first.id)
            #expect(try await enqueue().duplicateOf == first.id)
            let running = ClaimedJob(
                lease: lease, laneID: 1, batchID: nil, priority: 5, kind: .generate, target: claimed.target, body: "{}",
                digest: claimed.digest,
                attempt: 1, maxAttempts: 5, crashes: 0, timeout: nil, useCache: true)
            #expect(try await f.fail(running, .cancelled) == .settled(.cancelled))

            let second = try await enqueue()
            #expect(second.duplicateOf == nil && second.id > first.id)
            let again = try await f.one()
            #expect(try await f.fail(again, .permanent) == .settled(.discarded))

            let third = try await enqueue()
            #expect(third.duplicateOf == nil)
            _ = try await f.complete(f.one())
            // A completed job keeps its key: what was done once is not done again.
            #expect(try await enqueue() == Enqueued(id: third.id, state: .completed, duplicateOf: third.id))
            _ = try await f.store.jobs.delete(ids: [third.id])
            #expect(try await enqueue().duplicateOf == nil)
        }
    }

    @Test func keysBindAcrossQueuesAndAreCompared() async throws {
        try await withStore { f in
            let id = try await f.add { $0.uniqueKey = "k" }
            #expect(
                try await f.store.jobs.enqueue(
                    .with(f) {
                        $0.uniqueKey = "k"
                        $0.queue = "other"
                    }
                ).duplicateOf == id)
            for key in ["K", "k ", "k\0", "é", "e\u{301}"] {
                #expect(try await f.store.jobs.enqueue(.with(f) { $0.uniqueKey = key }).duplicateOf == nil, "\(key)")
            }
        }
    }

    @Test func manyTasksOfTwoStoresRaceForOneKey() async throws {
        try await withStore { f in
            let other = try f.another()
            defer { other.close() }
            for key in ["a", "b", "c"] {
                let receipts = try await withThrowingTaskGroup(of: Enqueued.self) { group in
                    for index in 0..<100 {
                        let store = index.isMultiple(of: 2) ? f.store : other
                        group.addTask { try await store.jobs.enqueue(.with(.asking("race \(index)")) { $0.uniqueKey = key }) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(receipts.map(\.id)).count == 1)
                #expect(receipts.count { $0.duplicateOf == nil } == 1)
            }
            #expect(try f.count(of: "jobs") == 3)
            #expect(try f.store.jobs.lanes().map { $0.count(.available) } == [3])
        }
    }

    // MARK: Many at once

    @Test func aSliceIsAllOrNothing() async throws {
        try await withStore { f in
            let receipts = try await f.store.jobs.enqueue(
                (0..<300).map { index in .with(.asking("\(index)")) { $0.batch = "b\(index % 3)" } })
            #expect(receipts.map(\.id) == Array(1...300) && receipts.allSatisfy { $0.state == .available })
            #expect(try ["b0", "b1", "b2"].map { try f.store.jobs.batch(named: $0)?.jobs } == [100, 100, 100])
            let error = await storeError {
                _ = try await f.store.jobs.enqueue([
                    .asking("x"),
                    .with(.asking("y")) {
                        $0.batch = "new"
                        $0.after = [999]
                    }, .asking("z"),
                ])
            }
            #expect(error?.kind == .conflict)
            #expect(error?.message.contains("999") == true)
            #expect(try f.store.jobs.batch(named: "new") == nil)
            #expect(try f.count(of: "jobs") == 300)
            // What the failed transaction had made is not remembered: the next job makes it again.
            let id = try await f.add {
                $0.batch = "new"
                $0.queue = "fresh"
            }
            #expect(try f.job(id).batch == "new" && f.job(id).queue == "fresh")
        }
    }

    @Test func aLaneThatAFailedTransactionMadeIsMadeAgain() async throws {
        try await withStore { f in
            let error = await storeError {
                _ = try await f.store.jobs.enqueue([.with(f) { $0.queue = "q" }, .with(f) { $0.after = [77] }])
            }
            #expect(error?.kind == .conflict)
            let id = try await f.add { $0.queue = "q" }
            #expect(try f.job(id).queue == "q")
        }
    }

    @Test func aSliceMayDependOnItself() async throws {
        try await withStore { f in
            let receipts = try await f.store.jobs.enqueue([
                .with(f) { $0.uniqueKey = "k" }, .with(f) { $0.after = [1] }, .with(f) { $0.uniqueKey = "k" },
            ])
            #expect(receipts.map(\.state) == [.available, .pending, .available])
            #expect(receipts.map(\.duplicateOf) == [nil, nil, 1])
        }
    }

    @Test func emptySlice() async throws {
        try await withStore { f in
            let receipts = try await f.store.jobs.enqueue([])
            #expect(receipts.isEmpty)
        }
    }

    /// The last guard, should the door have let nonsense through: the table's own rules.
    @Test(
        arguments: [
            { $0.priority = 0 }, { $0.priority = 10 }, { $0.maxAttempts = 0 }, { $0.maxAttempts = 1_001 }, { $0.timeout = 0 },
            { $0.timeout = -1 },
            { $0.digest = [1, 2, 3] }, { $0.uniqueKey = "" }, { $0.queue = "" }, { $0.tags = [""] }, { $0.batch = "" },
            { $0.tags = [String(repeating: "x", count: 129)] },
        ] as [@Sendable (inout NewJob) -> Void])
    func nonsenseIsRefused(_ configure: @Sendable (inout NewJob) -> Void) async throws {
        try await withStore { f in
            let error = await storeError { _ = try await f.add(.with(f, configure)) }
            #expect(error?.kind == .internal)
            let rows = try f.raw().int("SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM requests)")
            #expect(rows == 0)
        }
    }
}

extension NewJob {
    /// A job like another, but for what is changed.
    static func with(_ job: NewJob, _ configure: (inout NewJob) -> Void) -> NewJob {
        var job = job
        configure(&job)
        return job
    }

    /// A job whose answer no other's is.
    static func with(_ fixture: Fixture, _ configure: (inout NewJob) -> Void) -> NewJob {
        with(.asking("\(UInt64.random(in: 0 ... .max))"), configure)
    }
}
