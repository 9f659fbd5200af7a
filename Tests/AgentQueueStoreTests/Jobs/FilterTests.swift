import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What a filter selects, in lists, counts and changes.
@Suite struct FilterTests {
    @Test func severalValuesMeanAnyOfThem() async throws {
        try await withStore { f in
            for (place, name) in ["a", "b", "c", "d"].enumerated() {
                try await f.add(name) { job in
                    (job.queue, job.tags) = ("q\(place % 3)", [name, "all"])
                    job.batch = place < 3 ? "batch-\(name)" : nil
                    job.metadata = ["lang": .string(name), "n": .integer(Int64(place)), "deep": ["x": true]]
                }
            }
            func ids(_ configure: (inout JobFilter) -> Void) throws -> [Int64] {
                var filter = JobFilter()
                configure(&filter)
                let ids = try f.store.jobs.list(filter, limit: 100).map(\.id)
                #expect(try f.store.jobs.counts(filter).values.reduce(0, +) == ids.count)
                #expect(try f.store.jobs.list(filter, limit: 100, after: 0).map(\.id) == ids.reversed())
                return ids
            }
            #expect(try ids { $0.queues = ["q0", "q2"] } == [4, 3, 1])
            #expect(try ids { $0.queues = ["q0", "none"] } == [4, 1])
            #expect(try ids { $0.batches = ["batch-a", "batch-c"] } == [3, 1])
            #expect(try ids { $0.batches = ["none"] } == [])
            #expect(try ids { $0.tags = ["a", "d"] } == [4, 1])
            #expect(
                try ids {
                    $0.tags = ["all"]
                    $0.queues = ["q1"]
                } == [2])
            #expect(try ids { $0.models = ["local/m", "local/none"] } == [4, 3, 2, 1])
            #expect(try ids { $0.metadata = ["lang": ["a", "b"], "n": ["1", "2"]] } == [2])
            #expect(try ids { $0.metadata = ["deep": [#"{"x":true}"#]] } == [4, 3, 2, 1])
            #expect(try ids { $0.metadata = ["none": [""]] } == [])
            #expect(try ids { $0.texts = ["B"] } == [2])
            #expect(try ids { $0.until = f.clock.wall } == [])
            #expect(
                try ids {
                    $0.until = f.clock.wall + 1
                    $0.since = f.clock.wall
                } == [4, 3, 2, 1])
        }
    }

    @Test func theLastErrorsClassCounts() async throws {
        try await withStore { f in
            let job = try await f.running { $0.maxAttempts = 5 }
            try await f.fail(job, .timedOut)
            var filter = JobFilter()
            filter.errorClasses = [.timedOut, .overloaded]
            #expect(try f.store.jobs.list(filter, limit: 10).map(\.id) == [job.id])
            _ = try await f.store.jobs.retry(ids: [job.id])
            try await f.fail(try await f.one(), .permanent)
            #expect(try f.store.jobs.list(filter, limit: 10).isEmpty)
            filter.errorClasses = [.permanent]
            filter.states = [.discarded]
            #expect(try await f.store.jobs.retry(where: filter) == 1)
        }
    }

    @Test func noJobIsLookedAtBelowTheFirst() async throws {
        try await withStore { f in
            for number in 1...6 { try await f.add(number % 2 == 0 ? "even" : "odd") }
            var even = JobFilter()
            even.texts = ["even"]
            for filter in [JobFilter(), even] {
                let all = try f.store.jobs.list(filter, limit: 10).map(\.id)
                #expect(try f.store.jobs.list(filter, limit: 10, before: 6, from: 3).map(\.id) == all.filter { (3..<6).contains($0) })
                #expect(try f.store.jobs.list(filter, limit: 1, before: 5, from: 3).map(\.id) == [4])
                #expect(try f.store.jobs.list(filter, limit: 10, before: 3, from: 3).isEmpty)
            }
        }
    }

    /// More jobs than are looked at in one snapshot.
    @Test func contentIsSearchedInSlices() async throws {
        try await withStore(durability: .normal) { f in
            let jobs = (1...1_203).map { NewJob.asking($0 % 400 == 0 ? "Needle \($0)" : "hay \($0)") }
            for start in stride(from: 0, to: jobs.count, by: 500) {
                _ = try await f.store.jobs.enqueue(Array(jobs[start..<min(start + 500, jobs.count)]))
            }
            var filter = JobFilter()
            filter.texts = ["needle"]
            #expect(try f.store.jobs.list(filter, limit: 2).map(\.id) == [1_200, 800])
            #expect(try f.store.jobs.list(filter, limit: 2, before: 800).map(\.id) == [400])
            #expect(try f.store.jobs.counts(filter) == [.available: 3])
            #expect(try f.store.jobs.count(for: .cancel, where: filter) == 3)
            #expect(try f.store.jobs.count(for: .delete, where: filter) == 0)
            #expect(try await f.store.jobs.cancel(where: filter) == 3)
            filter.texts = ["hay"]
            #expect(try f.store.jobs.counts(filter) == [.available: 1_200])
            filter.states = [.available]
            #expect(try await f.store.jobs.cancel(where: filter) == 1_200)
            #expect(try f.store.jobs.counts(JobFilter()) == [.cancelled: 1_203])
        }
    }

    @Test func namesAreKnownOnceSomethingNamesThem() async throws {
        try await withStore { f in
            try await f.add { ($0.queue, $0.batch) = ("jobs", "b") }
            try await f.store.jobs.pause(queue: "pauses")
            var filter = JobFilter()
            (filter.queues, filter.batches) = (["jobs", "pauses"], ["b"])
            var unknown = try f.store.jobs.unknownNames(in: filter)
            #expect(unknown.queue == nil && unknown.batch == nil)
            (filter.queues, filter.batches) = (["jobs", "job"], ["b", "c"])
            unknown = try f.store.jobs.unknownNames(in: filter)
            #expect(unknown.queue == "job" && unknown.batch == "c")
        }
    }
}
