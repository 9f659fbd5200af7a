import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct ClaimTests {
    @Test func whatIsClaimedIsWhole() async throws {
        try await withStore { f in
            let id = try await f.add(
                .with(.asking("hello", of: "other/x/y", kind: .embed)) {
                    $0.priority = 3
                    $0.maxAttempts = 4
                    $0.timeout = 900
                    $0.batch = "b"
                    $0.useCache = false
                })
            let job = try #require(try await f.claim(1, lease: 7_000).first)
            let stored = try f.job(id)
            #expect(job.id == id && job.kind == .embed && job.target.description == "other/x/y" && job.priority == 3)
            #expect(job.attempt == 1 && job.maxAttempts == 4 && job.crashes == 0 && job.timeout == 900 && !job.useCache && !job.isCached)
            #expect(job.body == stored.request.text && job.digest == stored.digest && job.batchID != nil)
            #expect(stored.state == .running && stored.attempt == 1 && stored.attemptedAt == f.clock.wall)
            #expect(stored.worker?.id == f.worker)
            let raw = try f.raw()
            #expect(
                try raw.rows("SELECT token, worker_id, lease_expires_at FROM jobs") == [
                    ["\(job.lease.token)", "\(f.worker)", "\(f.clock.boot + 7_000)"]
                ])
            #expect(try await f.claim().isEmpty)
        }
    }

    @Test func priorityThenFirstInFirstOut() async throws {
        try await withStore { f in
            var expected: [(Int, Int64)] = []
            for priority in [5, 1, 9, 5, 1, 3, 9, 3, 5] {
                let id = try await f.add { $0.priority = priority }
                expected.append((priority, id))
            }
            expected.sort { ($0.0, $0.1) < ($1.0, $1.1) }
            var claimed: [Int64] = []
            while let job = try await f.claim(1).first { claimed.append(job.id) }
            #expect(claimed == expected.map(\.1))
        }
    }

    @Test func oneRoundKeepsTheOrder() async throws {
        try await withStore { f in
            for priority in [5, 1, 9, 5, 1, 3] { try await f.add { $0.priority = priority } }
            let jobs = try await f.claim(5)
            #expect(jobs.map(\.priority) == [1, 1, 3, 5, 5])
            #expect(jobs.map(\.id) == [2, 5, 6, 1, 4])
            #expect(Set(jobs.map(\.lease.token)).count == 1)
            #expect(try await f.claim(5).map(\.id) == [3])
        }
    }

    /// A lane with better jobs goes first, and a lane's later jobs do not slip in before another's better ones.
    @Test func priorityGoesAcrossLanes() async throws {
        try await withStore { f in
            for (index, priority) in [1, 6, 6].enumerated() {
                try await f.add(.with(.asking("a\(index)", of: "local/a")) { $0.priority = priority })
            }
            for priority in [2, 4, 9] { try await f.add(.with(.asking("b\(priority)", of: "local/b")) { $0.priority = priority }) }
            for priority in [3, 5] {
                try await f.add(
                    .with(.asking("c\(priority)", of: "other/c")) {
                        $0.priority = priority
                        $0.queue = "q"
                    })
            }
            #expect(try await f.claim(5).map(\.priority) == [1, 2, 3, 4, 5])
            #expect(try await f.claim(1).map(\.priority) == [6])
            #expect(try await f.claim(9).map(\.priority) == [6, 9])
        }
    }

    /// Of lanes with equally good jobs, the longest unserved goes first: none starves.
    @Test func lanesTakeTurns() async throws {
        try await withStore { f in
            for index in 0..<12 {
                try await f.add(.asking("\(index)", of: index < 8 ? "local/many" : index < 10 ? "local/few" : "other/few"))
            }
            var served: [String] = []
            while let job = try await f.claim(1).first { served.append(job.target.description) }
            #expect(Set(served[0..<3]).count == 3)
            #expect(Set(served[3..<6]).count == 3)
            #expect(served[6...].allSatisfy { $0 == "local/many" })
        }
    }

    @Test func aLaneThatComesLateIsServedNext() async throws {
        try await withStore { f in
            for index in 0..<6 { try await f.add(.asking("\(index)", of: "local/old")) }
            _ = try await f.claim(2)
            try await f.add(.asking("new", of: "local/new"))
            #expect(try await f.claim(1).map(\.target.model) == ["new"])
            #expect(try await f.claim(1).map(\.target.model) == ["old"])
        }
    }

    @Test func noMoreThanTheSlots() async throws {
        try await withStore { f in
            for index in 0..<30 { try await f.add(.asking("\(index)", of: "local/\(index % 3)")) }
            #expect(try await f.claim(0).isEmpty)
            #expect(try await f.claim(-1).isEmpty)
            #expect(try await f.claim(7).count == 7)
            #expect(try await f.claim(20).count == 20)
            #expect(try await f.claim(20).count == 3)
            #expect(try await f.claim(20).isEmpty)
        }
    }

    @Test func onlyWhatTheWorkerServes() async throws {
        try await withStore { f in
            let names = ["local/m", "other/m", "third/m"]
            for name in names {
                for queue in ["a", "b"] { try await f.add(.with(.asking("x in \(queue)", of: name)) { $0.queue = queue }) }
            }
            #expect(try await f.claim(providers: []).isEmpty)
            #expect(try await f.claim(queues: []).isEmpty)
            #expect(try await f.claim(providers: ["unknown"]).isEmpty)
            #expect(try await f.claim(queues: ["c"]).isEmpty)
            let one = try await f.claim(queues: ["a"], providers: ["third"])
            #expect(one.map(\.id) == [5])
            #expect(try await f.claim(queues: ["b"], providers: ["local", "third"]).map(\.id).sorted() == [2, 6])
            #expect(try await f.claim(providers: ["local", "other"]).map(\.id).sorted() == [1, 3, 4])
            #expect(try await f.claim().isEmpty)
        }
    }

    @Test func aPausedQueueIsHeldBack() async throws {
        try await withStore { f in
            let first = try await f.running { $0.queue = "q" }
            try await f.add { $0.queue = "q" }
            try await f.store.jobs.pause(queue: "q")
            f.clock.wall += 10
            try await f.store.jobs.pause(queue: "q")
            #expect(try f.store.jobs.queues().first { $0.name == "q" }?.pausedAt == f.clock.wall - 10)
            #expect(try await f.claim().isEmpty)
            // What runs goes on.
            #expect(try await f.complete(first) == .settled(.completed))
            let elsewhere = try await f.add()
            #expect(try await f.claim().map(\.id) == [elsewhere])
            #expect(try await f.store.jobs.resume(queue: "q"))
            #expect(try f.store.jobs.queues().first { $0.name == "q" }?.pausedAt == nil)
            #expect(try await f.claim().map(\.id) == [2])
            #expect(try await f.store.jobs.resume(queue: "unknown") == false)
        }
    }

    @Test func aQueueMayBePausedBeforeItsFirstJob() async throws {
        try await withStore { f in
            try await f.store.jobs.pause(queue: "q")
            try await f.add { $0.queue = "q" }
            #expect(try await f.claim().isEmpty)
            try await f.store.jobs.resume(queue: "q")
            #expect(try await f.claim().count == 1)
        }
    }

    @Test func onlyReadyJobs() async throws {
        try await withStore { f in
            let first = try await f.add()
            try await f.add { $0.after = [first] }
            try await f.add { $0.scheduledAt = f.clock.wall + 1 }
            let cancelled = try await f.add()
            _ = try await f.store.jobs.cancel(ids: [cancelled])
            let failed = try await f.running { $0.priority = 1 }
            try await f.fail(failed)
            f.clock.wall += 1_000_000
            // Due, but not promoted: the claim looks at no job that is not ready.
            #expect(try await f.claim().map(\.id) == [first])
            _ = try await f.store.maintenance.promote()
            #expect(try await f.claim().map(\.id) == [failed.id, 3])
        }
    }

    @Test func aCachedAnswerIsAnnounced() async throws {
        try await withStore { f in
            let job = NewJob.asking("x")
            try await f.add(job)
            let waiting = try await f.add(job)
            let optedOut = try await f.add(.with(job) { $0.useCache = false })
            let first = try await f.one()
            #expect(!first.isCached)
            _ = try await f.complete(first, cacheFor: 1_000)
            #expect(try await f.claim(2).map(\.isCached) == [true, false])
            #expect(try f.states([waiting, optedOut]) == [.running, .running])
            try await f.add(.with(job) { $0.scheduledAt = f.clock.wall + 1_000 })
            f.clock.wall += 1_000
            _ = try await f.store.maintenance.promote()
            // The one that the cache answers is under way, and asks anew if the cache has forgotten: this one waits for its answer.
            #expect(try await f.claim().isEmpty)
            #expect(try f.state(4) == .pending)
        }
    }

    // MARK: Jobs that killed two workers

    /// Makes a job that two workers have died of.
    private func suspect(_ f: Fixture, _ configure: (inout NewJob) -> Void = { _ in }) async throws -> Int64 {
        let id = try await f.add {
            $0.maxAttempts = 9
            $0.priority = 1
            configure(&$0)
        }
        for _ in 0..<2 {
            let dead = try f.deadWorker()
            #expect(try await f.claim(1, worker: dead).map(\.id) == [id])
            #expect(try await f.store.maintenance.rescue() == 1)
        }
        #expect(try f.raw().rows("SELECT crashes, attempt, state FROM jobs WHERE id = \(id)") == [["2", "2", "available"]])
        return id
    }

    @Test func aSuspectRunsAlone() async throws {
        try await withStore { f in
            let suspect = try await suspect(f) { $0.priority = 1 }
            let others = [try await f.add { $0.priority = 1 }, try await f.add()]
            // A worker that has something running lets it end, and takes nothing.
            let busy = try await f.round(10, isIdle: false)
            #expect(busy.jobs.isEmpty && busy.quarantinedWaits && !busy.runsAlone)
            let idle = try await f.round(10, isIdle: true)
            #expect(idle.jobs.map(\.id) == [suspect] && idle.quarantinedWaits && idle.runsAlone)
            #expect(idle.jobs[0].crashes == 2 && idle.jobs[0].attempt == 3)
            // Now that it runs, other workers go on as ever.
            let next = try await f.round(10, isIdle: false)
            #expect(next.jobs.map(\.id) == others && !next.quarantinedWaits && !next.runsAlone)
            #expect(try await f.complete(idle.jobs[0]) == .settled(.completed))
        }
    }

    @Test func suspectsRunOneByOne() async throws {
        try await withStore { f in
            let one = try await suspect(f)
            _ = try await f.store.jobs.pause(queue: "default")
            let two = try await suspect(f) { $0.queue = "q" }
            _ = try await f.store.jobs.resume(queue: "default")
            var seen: [Int64] = []
            for _ in 0..<2 {
                let round = try await f.round(10)
                #expect(round.jobs.count == 1 && round.runsAlone)
                seen.append(round.jobs[0].id)
            }
            #expect(seen.sorted() == [one, two])
            #expect(try await f.round(10).jobs.isEmpty)
        }
    }

    @Test func aSuspectThatNobodyHereServesIsLeftAlone() async throws {
        try await withStore { f in
            let suspect = try await suspect(f) { $0.queue = "q" }
            let other = try await f.add()
            let round = try await f.round(10, queues: ["default"], isIdle: false)
            #expect(round.jobs.map(\.id) == [other] && !round.quarantinedWaits)
            try await f.store.jobs.pause(queue: "q")
            #expect(try await f.round(10).quarantinedWaits == false)
            #expect(try f.state(suspect) == .available)
        }
    }

    @Test func aRetriedSuspectIsASuspectNoMore() async throws {
        try await withStore { f in
            let suspect = try await suspect(f)
            _ = try await f.store.jobs.cancel(ids: [suspect])
            _ = try await f.store.jobs.retry(ids: [suspect])
            let round = try await f.round(10, isIdle: false)
            #expect(round.jobs.map(\.id) == [suspect] && round.jobs[0].crashes == 0 && !round.runsAlone)
        }
    }

    // MARK: Tokens

    @Test func tokensOnlyGrow() async throws {
        try await withStore { f in
            let id = try await f.add { $0.maxAttempts = 1_000 }
            var last: Int64 = 0
            for _ in 0..<50 {
                let job = try await f.one()
                #expect(job.lease.token > last)
                last = job.lease.token
                #expect(try await f.store.claims.settle(.handBack(job, now: f.clock.wall)) == .settled(.available))
                #expect(try f.job(id).attempt == 0)
            }
            let store = try f.another()
            defer { store.close() }
            let request = ClaimRequest(worker: f.worker, queues: nil, providers: ["local"], slots: 1, lease: 1_000, isIdle: true)
            #expect(try await store.claims.claim(request).jobs[0].lease.token > last)
        }
    }

    @Test func manyClaimersNeverShareAJob() async throws {
        try await withStore(durability: .normal) { f in
            _ = try await f.store.jobs.enqueue((0..<400).map { .asking("\($0)", of: "local/\($0 % 3)") })
            let other = try f.another()
            defer { other.close() }
            let claimed = try await withThrowingTaskGroup(of: [ClaimedJob].self) { group in
                for index in 0..<8 {
                    let store = index.isMultiple(of: 2) ? f.store : other
                    group.addTask {
                        var mine: [ClaimedJob] = []
                        while true {
                            let round = try await store.claims.claim(
                                ClaimRequest(worker: f.worker, queues: nil, providers: ["local"], slots: 7, lease: 1_000, isIdle: false))
                            if round.jobs.isEmpty { return mine }
                            mine += round.jobs
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 400)
            #expect(Set(claimed.map(\.id)).count == 400)
        }
    }

    @Test func theClaimTellsOfCancellations() async throws {
        try await withStore { f in
            let mine = try await f.running()
            let theirs = try await f.running(worker: try f.deadWorker())
            _ = try await f.store.jobs.cancel(ids: [mine.id, theirs.id])
            #expect(try await f.cancellations() == [mine.lease])
            let waiting = try await f.add()
            let round = try await f.round(3)
            #expect(round.jobs.map(\.id) == [waiting] && round.cancellations == [mine.lease])
            try await f.fail(mine, .cancelled)
            #expect(try await f.cancellations().isEmpty)
            _ = try await f.store.maintenance.rescue()
        }
    }
}
