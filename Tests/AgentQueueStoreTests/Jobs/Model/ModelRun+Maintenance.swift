import AgentQueueModel
import AgentQueueTestSupport

@testable import AgentQueueStore

/// What maintenance does, and what happens to workers, queues and clocks.
extension ModelRun {
    func cascade() async throws {
        let slice = chance(50) ? 1 : 200
        note("cascade by \(slice) (\(model.cascades.sorted().map(jobName)))")
        let expected = model.cascade(limit: slice)
        let more = try await store.maintenance.cascade(slice: slice)
        try expect(more == expected, "cascade says \(more)")
    }

    func fanOut() async throws {
        let slice = chance(50) ? 7 : 200
        note("land by \(slice) (\(model.landings.sorted()))")
        let expected = model.fanOut(limit: slice)
        let more = try await store.maintenance.fanOut(slice: slice)
        try expect(more == expected, "land says \(more)")
    }

    func rescue() async throws {
        let except = chance(30) ? Set(workers.filter(\.isAlive).map(\.id)) : []
        note("rescue but of \(except.count)")
        var count = 0
        for worker in workers where !except.contains(worker.id) {
            let isOfThisBoot = worker.bootID == clock.bootID
            let isDead = !worker.isAlive || !isOfThisBoot
            for job in model.ordered where job.worker == worker.id && (isDead || (job.lease ?? 0) < clock.boot) {
                let hadBegun = isOfThisBoot ? worker.begun[job.id] != nil : true
                model.rescue(job.id, hadBegun: hadBegun, died: isDead && isOfThisBoot)
                count += 1
            }
        }
        workers.removeAll { !except.contains($0.id) && (!$0.isAlive || $0.bootID != clock.bootID) }
        let rescued = try await store.maintenance.rescue(except: except, slice: random(1...5))
        try expect(rescued == count, "\(rescued) rescued, not \(count)")
        let registered = try store.maintenance.workers().map(\.id)
        try expect(registered == workers.map(\.id).sorted(), "registered: \(registered), not \(workers.map(\.id))")
    }

    func promote() async throws {
        let slice = chance(30) ? 1 : 500
        note("promote by \(slice)")
        let expected = model.promote(limit: slice)
        let (promoted, nextDue) = try await store.maintenance.promote(slice: slice)
        try expect(promoted == expected && nextDue == model.nextDue, "promoted \(promoted) and then \(offset(nextDue))")
    }

    func expire() async throws {
        let slice = chance(30) ? 1 : 200
        note("expire by \(slice)")
        let expected = model.expire(limit: slice)
        let expired = try await store.maintenance.expire(slice: slice)
        try expect(expired == expected, "expired \(expired), not \(expected)")
    }

    func prune() async throws {
        let ages = [JobState.completed, .cancelled, .discarded].map { ($0, Int64(random(0...20)) * 1_000) }
        note("prune \(ages)")
        let expected = model.prune(ages)
        let policy = PrunePolicy(completed: ages[0].1, cancelled: ages[1].1, discarded: ages[2].1, shrinks: false)
        let prospect = try await store.maintenance.prune(policy, dryRun: true)
        let report = try await store.maintenance.prune(policy)
        try expect(report.jobs == expected && prospect.jobs == expected, "pruned \(report.jobs) (\(prospect.jobs)), not \(expected)")
    }

    func pause() async throws {
        let queue = Self.queues[random(0...1)]
        note((model.paused.contains(queue) ? "resume " : "pause ") + queue)
        if model.paused.remove(queue) != nil {
            try await store.jobs.resume(queue: queue)
        } else {
            model.paused.insert(queue)
            try await store.jobs.pause(queue: queue)
        }
    }

    func workersChange() async throws {
        guard let index = workers.indices.filter({ workers[$0].isAlive }).randomElement(using: &generator), chance(60) else {
            return try await register()
        }
        if chance(70) {
            note("w\(index) is killed")
            kill(index)
        } else {
            note("w\(index) leaves")
            let id = workers[index].id
            try await store.claims.unregisterWorker(id)
            // With jobs, its row stays, and it is as good as dead.
            if model.jobs.values.contains(where: { $0.worker == id }) { kill(index) } else { workers.remove(at: index) }
        }
    }

    func register() async throws {
        guard workers.count < 4 else { return }
        note("a worker registers")
        let registration = try await store.claims.registerWorker()
        workers.append(ReferenceWorker(id: registration.id, bootID: clock.bootID, calls: registration.calls))
    }

    /// What the kernel does when a process dies: its byte is free.
    func kill(_ index: Int) {
        store.locks.unlock(worker: workers[index].id)
        workers[index].isAlive = false
        workers[index].calls = nil
    }

    func turnClocks() {
        switch random(1...10) {
        case ...5:
            let time = Int64(random(1...8_000))
            note("\(time) ms pass")
            clock.advance(time)
        case ...7:
            let time = Int64([-3_600_000, -5_000, 5_000, 86_400_000][random(0...3)])
            note("the wall clock is set by \(time)")
            clock.wall += time
        case ...9:
            let time = Int64(random(1...6_000))
            note("\(time) ms pass for leases")
            clock.boot += time
        default:
            note("the machine starts anew")
            for index in workers.indices where workers[index].isAlive { kill(index) }
            clock.bootID += "+"
            clock.boot = Int64(random(1...2_000_000))
        }
        model.wall = clock.wall
    }
}
