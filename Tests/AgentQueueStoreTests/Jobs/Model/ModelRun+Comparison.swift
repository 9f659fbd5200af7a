import AgentQueueModel
import AgentQueueTestSupport

@testable import AgentQueueStore

/// The comparison of the store with the model, after each step and at the end.
extension ModelRun {
    func compare() throws {
        let rows = try stored.jobs()
        let expected = model.ordered
        for (row, job) in zip(rows, expected) where row != job.row {
            throw Mismatch(text: "\(jobName(job.id)):\n  stored \(row)\n  model  \(job.row)")
        }
        let missing = Set(expected.map(\.id)).symmetricDifference(rows.map(\.id))
        try expect(missing.isEmpty, "jobs that only one of them has: \(missing.sorted().map(jobName))")
        let edges = try stored.dependencies()
        let expectedEdges = expected.flatMap { job in
            job.dependencies.sorted { $0.key < $1.key }.map { StoredQueue.Edge(job: job.id, dependsOn: $0.key, isMet: $0.value) }
        }
        try expect(edges == expectedEdges, "dependencies:\n  stored \(edges)\n  model  \(expectedEdges)")
        let cascades = try stored.cascades()
        try expect(cascades == model.cascades, "to be told: \(cascades.sorted().map(jobName)), not \(model.cascades.sorted().map(jobName))")
        let followers = try stored.followers()
        let expectedFollowers = Dictionary(uniqueKeysWithValues: expected.filter(\.follows).map { ($0.id, Self.digest($0.question)) })
        try expect(followers == expectedFollowers, "followers \(followers.keys.sorted()), not \(expectedFollowers.keys.sorted())")
        let landings = try stored.landings()
        try expect(landings == Set(model.landings.map(Self.digest)), "\(landings.count) landings, not \(model.landings)")
        let results = try stored.results()
        for job in expected {
            try expect(results[job.id] == job.answeredBy, "\(jobName(job.id)) was answered by \(String(describing: results[job.id]))")
        }
        for lane in try stored.lanes() {
            var counts = [Int](repeating: 0, count: 8)
            for job in expected where lane.name == job.queue + " " + job.target { counts[job.state.index] += 1 }
            try expect(lane.counts == counts, "the counts of \(lane.name) are \(lane.counts), not \(counts)")
        }
        let counts = try stored.counts()
        try expect(counts.token >= lastToken, "the token's counter went back")
        try expect(counts.results == expected.count { $0.state == .completed }, "\(counts.results) results")
    }

    func check() throws {
        let faults = try store.maintenance.check().faults
        try expect(faults.isEmpty, "\(faults)")
        let waiting = model.jobs.values.reduce(into: [String: Int]()) { if let batch = $1.batch { $0[batch, default: 0] += 1 } }
        for (batch, count) in waiting {
            let jobs = try store.jobs.batch(named: batch)?.jobs
            try expect(jobs == count, "batch \(batch) has \(jobs ?? -1) jobs, not \(count)")
        }
    }

    /// The end of a sequence: with a worker that answers all, every job must come to an end; then all is removed.
    func drain() async throws {
        note("drain")
        for queue in model.paused.sorted() { try await store.jobs.resume(queue: queue) }
        for index in workers.indices where workers[index].isAlive { kill(index) }
        workers = []
        let worker = try await store.claims.registerWorker()
        for _ in 0..<100 {
            _ = try await store.maintenance.rescue()
            while try await store.maintenance.cascade() {}
            while try await store.maintenance.fanOut() {}
            clock.advance(100_000_000)
            _ = try await store.maintenance.promote()
            let jobs = try await store.claims.claim(
                ClaimRequest(worker: worker.id, queues: nil, providers: ["local", "other"], slots: 100, lease: 60_000, isIdle: true)
            ).jobs
            for job in jobs {
                try expect(completions.insert(job.id).inserted, "\(jobName(job.id)) completes twice")
                let result = try await store.claims.settle(.answer(job))
                try expect(result == .settled(.completed), "\(jobName(job.id)): \(result)")
            }
            if jobs.isEmpty, try stored.cascades().isEmpty, try stored.jobs().allSatisfy({ $0.state?.isFinal == true }) { break }
        }
        let rows = try stored.jobs()
        try expect(rows.map(\.id) == model.ordered.map(\.id), "jobs are missing at the end")
        for row in rows where row.state?.isFinal != true { throw Mismatch(text: "\(jobName(row.id)) never ends: \(row)") }
        try await store.claims.unregisterWorker(worker.id)
        _ = try await store.jobs.delete(ids: rows.map(\.id).reversed())
        _ = try await store.cache.clear()
        let left = try stored.jobs()
        try expect(left.isEmpty, "not deleted: \(left)")
        for lane in try stored.lanes() {
            try expect(lane.counts.allSatisfy { $0 == 0 }, "the counts of \(lane.name) at the end: \(lane.counts)")
        }
    }
}
