import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Cancel, retry and delete, by id and by filter.
@Suite struct ChangeTests {
    /// One job in each state, by its state.
    private func oneOfEach(_ f: Fixture, queue: String = "q") async throws -> [JobState: Int64] {
        var ids: [JobState: Int64] = [:]
        func add(_ configure: (inout NewJob) -> Void = { _ in }) async throws -> Int64 {
            try await f.add {
                $0.queue = queue
                $0.tags = ["t"]
                $0.batch = queue
                configure(&$0)
            }
        }
        for state in [JobState.completed, .discarded, .retryable, .running] {
            ids[state] = try await add { $0.priority = 1 + state.index % 5 }
        }
        for job in try await f.claim(queues: [queue]) {
            switch job.id {
            case ids[.completed]: _ = try await f.complete(job)
            case ids[.discarded]: try await f.fail(job, .permanent)
            case ids[.retryable]: try await f.fail(job)
            default: break
            }
        }
        ids[.available] = try await add()
        ids[.cancelled] = try await add()
        _ = try await f.store.jobs.cancel(ids: [ids[.cancelled]!])
        ids[.scheduled] = try await add { $0.scheduledAt = f.clock.wall + 1_000_000 }
        ids[.pending] = try await add { $0.after = [ids[.scheduled]!] }
        for state in JobState.allCases { #expect(try f.state(ids[state]!) == state) }
        return ids
    }

    private func apply(
        _ f: Fixture, _ ids: [JobState: Int64], _ change: ([Int64]) async throws -> [JobChange]
    ) async throws -> [JobState: JobChange.Result] {
        let order = JobState.allCases.map { ids[$0]! }
        let changes = try await change(order)
        #expect(changes.map(\.id) == order)
        return Dictionary(uniqueKeysWithValues: zip(JobState.allCases, changes.map(\.result)))
    }

    @Test func cancelOfEveryState() async throws {
        try await withStore { f in
            let ids = try await oneOfEach(f)
            let results = try await apply(f, ids) { try await f.store.jobs.cancel(ids: $0) }
            #expect(
                results == [
                    .pending: .changed(.cancelled), .scheduled: .changed(.cancelled), .available: .changed(.cancelled),
                    .running: .changed(.running), .retryable: .changed(.cancelled), .completed: .unchanged(.completed),
                    .cancelled: .unchanged(.cancelled), .discarded: .unchanged(.discarded),
                ])
            for state in [JobState.pending, .scheduled, .available, .retryable] {
                let stored = try f.job(ids[state]!)
                #expect(stored.state == .cancelled && stored.finalizedAt == f.clock.wall && stored.errors.last?.failure == .cancelled)
            }
            #expect(try f.job(ids[.running]!).cancelRequestedAt == f.clock.wall)
            #expect(try await f.cancellations().map(\.jobID) == [ids[.running]!])
            f.clock.wall += 5
            // Asked again, the first wish stands.
            #expect(
                try await f.store.jobs.cancel(ids: [ids[.running]!, 4_711]) == [
                    JobChange(id: ids[.running]!, result: .changed(.running)), JobChange(id: 4_711, result: .notFound),
                ])
            #expect(try f.job(ids[.running]!).cancelRequestedAt == f.clock.wall - 5)
            #expect(try f.store.jobs.batch(named: "q")?.cancelled == 5)
        }
    }

    @Test func retryOfEveryState() async throws {
        try await withStore { f in
            let ids = try await oneOfEach(f)
            f.clock.wall += 10
            let results = try await apply(f, ids) { try await f.store.jobs.retry(ids: $0) }
            #expect(
                results == [
                    .pending: .unchanged(.pending), .scheduled: .changed(.available), .available: .unchanged(.available),
                    .running: .unchanged(.running), .retryable: .changed(.available), .completed: .unchanged(.completed),
                    .cancelled: .changed(.available), .discarded: .changed(.available),
                ])
            let discarded = try f.job(ids[.discarded]!)
            #expect(discarded.attempt == 0 && discarded.finalizedAt == nil && discarded.scheduledAt == f.clock.wall)
            #expect(discarded.errors.count == 1, "what went wrong is not forgotten")
            #expect(try f.job(ids[.retryable]!).attempt == 1)
            #expect(try f.store.jobs.batch(named: "q") == BatchProgress(jobs: 8, completed: 1, cancelled: 0, discarded: 0))
        }
    }

    @Test func deleteOfEveryState() async throws {
        try await withStore { f in
            let ids = try await oneOfEach(f)
            let results = try await apply(f, ids) { try await f.store.jobs.delete(ids: $0) }
            for (state, result) in results {
                if state.isFinal {
                    #expect(result == .changed(state))
                    #expect(try f.store.jobs.get(ids[state]!) == nil)
                } else {
                    #expect(result == .refused("it is \(state.rawValue); cancel it first"))
                    #expect(try f.state(ids[state]!) == state)
                }
            }
            let raw = try f.raw()
            for table in ["requests", "job_tags"] { #expect(try raw.int("SELECT count(DISTINCT job_id) FROM \(table)") == 5) }
            #expect(try raw.int("SELECT count(*) FROM results") == 0)
            #expect(try f.store.jobs.batch(named: "q") == BatchProgress(jobs: 5, completed: 0, cancelled: 0, discarded: 0))
            #expect(try await f.store.jobs.delete(ids: [ids[.completed]!]) == [JobChange(id: ids[.completed]!, result: .notFound)])
        }
    }

    @Test func aRetryFindsItsUniqueKeyTaken() async throws {
        try await withStore { f in
            let first = try await f.add { $0.uniqueKey = "k" }
            _ = try await f.store.jobs.cancel(ids: [first])
            let second = try await f.add { $0.uniqueKey = "k" }
            #expect(
                try await f.store.jobs.retry(ids: [first]) == [JobChange(id: first, result: .refused("another job has its unique key now"))]
            )
            _ = try await f.store.jobs.cancel(ids: [second])
            #expect(try await f.store.jobs.retry(ids: [first]) == [JobChange(id: first, result: .changed(.available))])
            #expect(try await f.store.jobs.retry(ids: [second]).first?.result == .refused("another job has its unique key now"))
        }
    }

    @Test func aRetriedJobHasAllItsAttemptsAgain() async throws {
        try await withStore { f in
            let id = try await f.add { $0.maxAttempts = 2 }
            for life in 1...3 {
                for attempt in 1...2 {
                    let job = try await f.one()
                    #expect(job.attempt == attempt)
                    #expect(try await f.fail(job) == .settled(attempt == 2 ? .discarded : .retryable))
                    _ = try await f.store.jobs.retry(ids: [id])
                }
                #expect(try f.job(id).errors.count == 2 * life)
            }
        }
    }

    @Test func aCancelledRunningJobThatIsRetriedForgetsTheWish() async throws {
        try await withStore { f in
            let job = try await f.running()
            _ = try await f.store.jobs.cancel(ids: [job.id])
            try await f.fail(job, .cancelled)
            _ = try await f.store.jobs.retry(ids: [job.id])
            let again = try await f.one()
            #expect(try await f.cancellations().isEmpty)
            #expect(try await f.fail(again) == .settled(.retryable))
        }
    }

    // MARK: By filter

    @Test func filtersMeanWhatTheySay() async throws {
        try await withStore { f in
            _ = try await f.store.jobs.enqueue(
                (0..<450).map { index in
                    .with(.asking("\(index)", of: index.isMultiple(of: 3) ? "local/a" : "local/b")) {
                        $0.queue = index.isMultiple(of: 2) ? "even" : "odd"
                        $0.tags = index < 10 ? ["first"] : []
                        $0.batch = index < 100 ? "b" : nil
                    }
                })
            f.clock.wall += 1_000
            try await f.add { $0.queue = "even" }
            #expect(try await f.store.jobs.cancel(where: JobFilter(tag: "first")) == 10)
            #expect(try await f.store.jobs.cancel(where: JobFilter(tag: "first")) == 0)
            #expect(try await f.store.jobs.cancel(where: JobFilter(batch: "b")) == 90)
            #expect(try await f.store.jobs.cancel(where: JobFilter(queue: "odd", model: "local/a")) == 58)
            #expect(try await f.store.jobs.cancel(where: JobFilter(since: f.clock.wall)) == 1)
            #expect(try await f.store.jobs.cancel(where: JobFilter(queue: "none")) == 0)
            #expect(try await f.store.jobs.cancel(where: JobFilter(model: "local/none")) == 0)
            #expect(try await f.store.jobs.cancel(where: JobFilter(batch: "none")) == 0)
            #expect(try await f.store.jobs.cancel(where: JobFilter(tag: "none")) == 0)
            // States that the wish means nothing to.
            #expect(try await f.store.jobs.cancel(where: JobFilter(states: [.completed])) == 0)
            #expect(try await f.store.jobs.delete(where: JobFilter(states: [.available, .running])) == 0)
            #expect(try await f.store.jobs.retry(where: JobFilter(states: [.cancelled], tag: "first")) == 10)
            #expect(try await f.store.jobs.delete(where: JobFilter(states: [.cancelled], batch: "b")) == 90)
            #expect(try await f.store.jobs.cancel(where: JobFilter()) == 302)
            #expect(try await f.store.jobs.retry(where: JobFilter(queue: "even")) > 100)
            #expect(try await f.store.jobs.delete(where: JobFilter()) > 100)
            #expect(try f.store.maintenance.statistics().count(.cancelled) == 0)
        }
    }

    @Test func deletingByFilterPassesOverWhatIsNeeded() async throws {
        try await withStore { f in
            let first = try await f.add()
            let second = try await f.add { $0.after = [first] }
            _ = try await f.complete(f.one())
            try await f.cascade()
            #expect(try await f.store.jobs.delete(where: JobFilter(states: [.completed])) == 0)
            _ = try await f.complete(f.one())
            #expect(try await f.store.jobs.delete(where: JobFilter()) == 2)
            #expect(try f.states([first, second]) == [nil, nil])
        }
    }

    /// Jobs that are added while a filter's jobs are walked are not meant.
    @Test func onlyTheJobsThatWereThere() async throws {
        try await withStore { f in
            _ = try await f.store.jobs.enqueue((0..<500).map { .asking("\($0)") })
            async let cancelled = f.store.jobs.cancel(where: JobFilter())
            let added = try await f.add { $0.priority = 1 }
            let count = try await cancelled
            #expect(count == 500 || count == 501)
            #expect(try f.state(added) == (count == 500 ? .available : .cancelled))
        }
    }

    @Test func pagesOfJobs() async throws {
        try await withStore { f in
            let ids = try await f.store.jobs.enqueue((0..<25).map { index in .with(f) { $0.queue = "q\(index % 2)" } }).map(\.id)
            #expect(try f.store.jobs.list(JobFilter(), limit: 10).map(\.id) == ids.suffix(10).reversed())
            #expect(try f.store.jobs.list(JobFilter(), limit: 10, before: ids[15]).map(\.id) == ids[5..<15].reversed())
            #expect(try f.store.jobs.list(JobFilter(queue: "q1"), limit: 5, after: ids[4]).map(\.id) == [5, 7, 9, 11, 13].map { ids[$0] })
            #expect(try f.store.jobs.list(JobFilter(), limit: 0).isEmpty)
            #expect(try f.store.jobs.get(4_711) == nil)
            _ = try await f.store.jobs.cancel(ids: [ids[3], ids[8]])
            #expect(try f.store.jobs.list(JobFilter(states: [.cancelled]), limit: 9).map(\.id) == [ids[8], ids[3]])
            #expect(try f.store.jobs.list(JobFilter(states: [.cancelled, .available]), limit: 100).count == 25)
            #expect(try f.store.jobs.list(JobFilter(states: JobState.allCases), limit: 100).count == 25)
            #expect(try f.store.jobs.list(JobFilter(states: [.running, .completed]), limit: 100).isEmpty)
        }
    }
}
