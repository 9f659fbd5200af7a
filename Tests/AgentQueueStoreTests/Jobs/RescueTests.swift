import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct RescueTests {
    /// A process that holds its worker's byte is alive; once it is killed, its jobs are taken back at once, however
    /// long their lease.
    @Test func aKilledWorkersJobsAreTakenBackAtOnce() async throws {
        try await withStore { f in
            let dead = try f.deadWorker()
            let process = try await LockHolder(path: f.path + "-lock", byte: dead, exclusive: true)
            let job = try await f.running(lease: 3_600_000, worker: dead)
            #expect(f.store.locks.isAlive(worker: dead))
            #expect(try await f.store.maintenance.rescue() == 0)
            #expect(try f.state(job.id) == .running)
            try await process.kill()
            #expect(!f.store.locks.isAlive(worker: dead))
            #expect(try await f.store.maintenance.rescue() == 1)
            let stored = try f.job(job.id)
            #expect(stored.state == .available && stored.attempt == 1 && stored.worker == nil)
            #expect(stored.errors.map(\.failure) == [.crashed] && stored.errors.first?.message.contains("died") == true)
            #expect(try f.store.maintenance.workers().map(\.id) == [f.worker])
            #expect(try await f.store.maintenance.rescue() == 0)
        }
    }

    @Test func ownWorkersAreKnownToLive() async throws {
        try await withStore { f in
            let other = try f.another()
            defer { other.close() }
            let theirs = try await other.claims.registerWorker()
            // Two stores of one process, and a process is told that its own locks are free.
            #expect(f.store.locks.isAlive(worker: theirs.id) && other.locks.isAlive(worker: f.worker))
            let job = try await f.running(worker: theirs.id)
            #expect(try await f.store.maintenance.rescue() == 0)
            #expect(try await f.complete(job) == .settled(.completed))
            try await other.claims.unregisterWorker(theirs.id)
            #expect(!f.store.locks.isAlive(worker: theirs.id))
            #expect(try f.store.maintenance.workers().map(\.id) == [f.worker])
        }
    }

    @Test func anotherSpellingOfThePathIsTheSameDatabase() async throws {
        try await withStore { f in
            let job = try await f.running(lease: 3_600_000)
            let other = try QueueStore(path: f.folder + "/./queue.db", options: StoreOptions(clock: f.clock.storeClock))
            #expect(other.locks.isAlive(worker: f.worker))
            #expect(try await other.maintenance.rescue() == 0)
            other.close()
            #expect(f.store.locks.isAlive(worker: f.worker))
            #expect(try await f.complete(job) == .settled(.completed))
        }
    }

    @Test func aWorkerThatLeavesWithJobsIsRescued() async throws {
        try await withStore { f in
            let leaving = try await f.store.claims.registerWorker().id
            let job = try await f.running(worker: leaving)
            try await f.store.claims.unregisterWorker(leaving)
            #expect(try f.store.maintenance.workers().count == 2)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.state(job.id) == .available)
            #expect(try f.store.maintenance.workers().count == 1)
        }
    }

    @Test func workerNumbersAreNeverUsedAgain() async throws {
        try await withStore { f in
            let one = try await f.store.claims.registerWorker().id
            try await f.store.claims.unregisterWorker(one)
            let two = try await f.store.claims.registerWorker().id
            #expect(two > one)
        }
    }

    // MARK: Leases

    /// Test 9: a worker was stopped past its lease; another has completed its job when it wakes up.
    @Test func aWorkerThatSleptPastItsLeaseIsRefused() async throws {
        try await withStore { f in
            let sleeper = try await f.running(lease: 1_000)
            f.begin(sleeper)
            f.clock.advance(1_001)
            #expect(try await f.store.maintenance.rescue() == 1)
            let second = try #require(try await f.claim(1, worker: f.store.claims.registerWorker().id).first)
            #expect(second.id == sleeper.id && second.attempt == 2)
            let heartbeat = try Heartbeat(f.store)
            defer { heartbeat.close() }
            #expect(try heartbeat.renew([sleeper.lease], for: 1_000) == [sleeper.lease])
            #expect(try await f.complete(sleeper, "late") == .fenced)
            #expect(try await f.complete(second, "in time") == .settled(.completed))
            let row = try f.row(sleeper.id)
            #expect(try await f.complete(sleeper, "later") == .fenced)
            #expect(try await f.fail(sleeper) == .fenced)
            #expect(try heartbeat.renew([sleeper.lease], for: 1_000) == [sleeper.lease])
            #expect(try f.row(sleeper.id) == row)
            let stored = try f.job(sleeper.id)
            #expect(stored.result?.reply["text"] == "in time" && stored.errors.map(\.failure) == [.crashed])
            #expect(stored.errors.first?.message.contains("did not renew") == true)
        }
    }

    @Test func onlyTheLeasesThatEndedAreTaken() async throws {
        try await withStore { f in
            let short = try await f.running(lease: 1_000)
            let long = try await f.running(lease: 2_000)
            f.clock.advance(1_000)
            #expect(try await f.store.maintenance.rescue() == 0, "a lease holds through its last millisecond")
            f.clock.advance(1)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.states([short.id, long.id]) == [.available, .running])
            // A slow worker's job is no suspect, and the worker stays registered.
            #expect(try f.raw().rows("SELECT crashes FROM jobs WHERE id = \(short.id)") == [["0"]])
            #expect(try f.store.maintenance.workers().map(\.running) == [1])
        }
    }

    /// Test 11: the wall clock breaks no lease.
    @Test(arguments: [-86_400_000, 86_400_000] as [Int64])
    func theWallClockEndsNoLease(step: Int64) async throws {
        try await withStore { f in
            let job = try await f.running(lease: 1_000)
            let later = try await f.add { $0.scheduledAt = f.clock.wall + 3_600_000 }
            f.clock.wall += step
            #expect(try await f.store.maintenance.rescue() == 0)
            _ = try await f.store.maintenance.promote()
            #expect(try f.state(later) == (step > 0 ? .available : .scheduled))
            f.clock.wall += 86_400_000
            _ = try await f.store.maintenance.promote()
            #expect(try f.state(later) == (step > 0 ? .available : .scheduled))
            #expect(try await f.complete(job) == .settled(.completed))
        }
    }

    /// Test 12: another boot voids every lease.
    @Test func anotherBootVoidsEveryLease() async throws {
        try await withStore { f in
            let ids = try await f.store.jobs.enqueue((0..<250).map { .asking("\($0)") }).map(\.id)
            let jobs = try await f.claim(250, lease: 3_600_000)
            #expect(jobs.count == 250)
            f.clock.bootID = "boot-2"
            f.clock.boot = 1_000
            #expect(try await f.store.maintenance.rescue(slice: 40) == 250)
            #expect(try f.store.jobs.lanes().map { $0.count(.available) } == [250])
            #expect(try f.store.maintenance.workers().isEmpty)
            // A power cut is no fault of the jobs': none becomes a suspect.
            #expect(try f.raw().int("SELECT max(crashes) FROM jobs") == 0)
            #expect(try f.job(ids[7]).attempt == 1)
            #expect(try await f.complete(jobs[7]) == .fenced)
        }
    }

    /// A worker that wrote down, and exactly at that moment died.
    @Test func exceptedWorkersAreLeftAlone() async throws {
        try await withStore { f in
            let dead = try f.deadWorker()
            let job = try await f.running(worker: dead)
            #expect(try await f.store.maintenance.rescue(except: [dead]) == 0)
            #expect(try f.state(job.id) == .running)
            #expect(try await f.store.maintenance.rescue(except: [f.worker]) == 1)
        }
    }

    // MARK: Races

    /// Test 15: the owner completes between the rescuer's reading and its writing.
    @Test func anOwnerThatCompletesInBetweenWins() async throws {
        try await withStore { f in
            let job = try await f.running(lease: 1_000)
            f.clock.advance(5_000)
            let found = DeadWorker(id: f.worker, isOfThisBoot: true, isDead: false)
            #expect(try await f.complete(job, "in time") == .settled(.completed))
            let row = try f.row(job.id)
            #expect(try await f.store.write { try $0.rescue(found, begun: nil, slice: 100, noted: []).count } == 0)
            #expect(try f.row(job.id) == row)
            #expect(try f.job(job.id).errors.isEmpty)
        }
    }

    @Test func anOwnerThatRenewsInBetweenWins() async throws {
        try await withStore { f in
            let job = try await f.running(lease: 1_000)
            f.clock.advance(5_000)
            let heartbeat = try Heartbeat(f.store)
            defer { heartbeat.close() }
            #expect(try heartbeat.renew([job.lease], for: 1_000) == [])
            let found = DeadWorker(id: f.worker, isOfThisBoot: true, isDead: false)
            #expect(try await f.store.write { try $0.rescue(found, begun: nil, slice: 100, noted: []).count } == 0)
            #expect(try await f.complete(job) == .settled(.completed))
        }
    }

    @Test func manyRescuersTakeEachJobOnce() async throws {
        try await withStore(durability: .normal) { f in
            let other = try f.another()
            defer { other.close() }
            let dead = try f.deadWorker()
            _ = try await f.store.jobs.enqueue((0..<120).map { .asking("\($0)") })
            #expect(try await f.claim(120, worker: dead).count == 120)
            let rescued = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<6 {
                    let store = index.isMultiple(of: 2) ? f.store : other
                    group.addTask { try await store.maintenance.rescue(slice: 7) }
                }
                return try await group.reduce(0, +)
            }
            #expect(rescued == 120)
            #expect(try f.count(of: "job_errors") == 120)
            #expect(try f.raw().int("SELECT sum(attempt) FROM jobs WHERE state = 'available'") == 120)
        }
    }

    // MARK: What counts

    /// Test 16: a job that kills its worker each time.
    @Test(arguments: [1, 2, 3, 5])
    func aPoisonJobIsDiscardedAfterItsAttempts(maxAttempts: Int) async throws {
        try await withStore { f in
            let poison = try await f.add {
                $0.maxAttempts = maxAttempts
                $0.priority = 1
            }
            let neighbours = [try await f.add(), try await f.add()]
            let dependent = try await f.add { $0.after = [poison] }
            for attempt in 1...maxAttempts {
                let registration = try await f.store.claims.registerWorker()
                let round = try await f.round(10, worker: registration.id)
                // After two deaths it runs alone.
                #expect(round.jobs.map(\.id) == (attempt <= 2 ? [poison] + neighbours : [poison]))
                #expect(round.jobs[0].attempt == attempt)
                _ = registration.calls?.begin(job: poison)
                f.store.locks.unlock(worker: registration.id)  // as its death would
                #expect(try await f.store.maintenance.rescue() == round.jobs.count)
                #expect(try f.state(poison) == (attempt < maxAttempts ? .available : .discarded))
            }
            let stored = try f.job(poison)
            #expect(stored.attempt == maxAttempts && stored.errors.map(\.attempt) == Array(1...maxAttempts))
            #expect(stored.finalizedAt != nil)
            for neighbour in neighbours {
                let stored = try f.job(neighbour)
                #expect(stored.state == .available && stored.attempt == 0 && stored.errors.isEmpty)
            }
            #expect(try f.raw().int("SELECT max(crashes) FROM jobs WHERE id <> \(poison)") == 0)
            try await f.cascade()
            #expect(try f.state(dependent) == .cancelled)
            #expect(try await f.claim().map(\.id) == neighbours)
        }
    }

    @Test func onlyCallsThatHadBegunCount() async throws {
        try await withStore { f in
            let registration = try await f.store.claims.registerWorker()
            let calls = try #require(registration.calls)
            let ids = try await f.store.jobs.enqueue((0..<4).map { .with(.asking("\($0)")) { $0.maxAttempts = 1 } }).map(\.id)
            let jobs = try await f.claim(4, worker: registration.id)
            #expect(jobs.map(\.id) == ids)
            _ = calls.begin(job: ids[0])
            let second = calls.begin(job: ids[1])
            calls.end(second)
            _ = calls.begin(job: ids[2])
            _ = try await f.complete(jobs[2])
            #expect(f.store.locks.begunCalls(of: registration.id) == [ids[0], ids[2]])
            f.store.locks.unlock(worker: registration.id)
            #expect(try await f.store.maintenance.rescue() == 3)
            #expect(try f.states(ids) == [.discarded, .available, .completed, .available])
            #expect(try f.raw().rows("SELECT attempt, crashes FROM jobs") == [["1", "1"], ["0", "0"], ["1", "0"], ["0", "0"]])
            #expect(try f.raw().rows("SELECT job_id FROM job_errors") == [["\(ids[0])"]])
        }
    }

    /// Without a region, or with a full one, every attempt counts: better one too many than a poison job for ever.
    @Test func withoutWordOfItEveryAttemptCounts() async throws {
        try await withStore { f in
            let registration = try await f.store.claims.registerWorker()
            let calls = try #require(registration.calls)
            var slots: [Int?] = []
            for job in 0..<3_000 { slots.append(calls.begin(job: Int64(job + 1_000))) }
            #expect(slots.contains(nil) && slots.first != .some(nil))
            #expect(f.store.locks.begunCalls(of: registration.id) == nil)
            let job = try await f.running(worker: registration.id)
            f.store.locks.unlock(worker: registration.id)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.job(job.id).attempt == 1)

            let unknown = try f.deadWorker()
            #expect(f.store.locks.begunCalls(of: unknown) == nil)
            _ = try await f.claim(1, worker: unknown)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.job(job.id).attempt == 2)
        }
    }

    /// Two workers whose numbers share a region: the second takes it only when the first is dead, and then the first's
    /// word is gone, so that its attempts count.
    @Test func aRegionHasOneOwner() async throws {
        try await withStore { f in
            let first = try await f.store.claims.registerWorker()
            let calls = try #require(first.calls)
            _ = calls.begin(job: 7)
            #expect(f.store.locks.calls(of: first.id + 256) == nil)
            #expect(f.store.locks.begunCalls(of: first.id) == [7])
            #expect(f.store.locks.begunCalls(of: first.id + 256) == nil)
            f.store.locks.unlock(worker: first.id)
            let second = try #require(f.store.locks.calls(of: first.id + 256))
            #expect(f.store.locks.begunCalls(of: first.id) == nil)
            #expect(f.store.locks.begunCalls(of: first.id + 256) == [])
            _ = second.begin(job: 9)
            #expect(f.store.locks.begunCalls(of: first.id + 256) == [9])
        }
    }

    @Test func aJobThatWasToBeCancelledIsCancelled() async throws {
        try await withStore { f in
            let dead = try f.deadWorker()
            let job = try await f.running(worker: dead) { $0.batch = "b" }
            _ = try await f.store.jobs.cancel(ids: [job.id])
            #expect(try await f.store.maintenance.rescue() == 1)
            let stored = try f.job(job.id)
            #expect(stored.state == .cancelled && stored.finalizedAt == f.clock.wall)
            #expect(try f.store.jobs.batch(named: "b")?.cancelled == 1)
        }
    }

    @Test func rescueWorksInSlices() async throws {
        try await withStore { f in
            let dead = try f.deadWorker()
            _ = try await f.store.jobs.enqueue((0..<25).map { .asking("\($0)") })
            _ = try await f.claim(25, worker: dead)
            #expect(try await f.store.maintenance.rescue(slice: 5) == 25)
            #expect(try f.store.maintenance.workers().map(\.id) == [f.worker])
            #expect(try f.store.jobs.lanes().map { $0.count(.available) } == [25])
        }
    }

    /// Its registration is gone (it left while a claim of its was under way), and its jobs must not run for ever.
    @Test func jobsOfAWorkerThatIsNotRegisteredAreTakenBack() async throws {
        try await withStore { f in
            let job = try await f.running(lease: 3_600_000, worker: 4_711)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.state(job.id) == .available)
            // One that lives all the same is given its lease's time.
            let leaving = try await f.store.claims.registerWorker().id
            let other = try await f.one(worker: leaving)
            try f.raw().run("DELETE FROM workers WHERE id = \(leaving)")
            #expect(try await f.store.maintenance.rescue() == 0)
            f.clock.advance(60_001)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try f.state(other.id) == .available)
        }
    }
}

@Suite struct HeartbeatTests {
    @Test func renewsUnderTheTokenAlone() async throws {
        try await withStore { f in
            let heartbeat = try Heartbeat(f.store)
            defer { heartbeat.close() }
            let one = try await f.running(lease: 1_000)
            let two = try await f.running(lease: 1_000)
            let stale = Lease(jobID: one.id, token: one.lease.token - 1)
            let foreign = Lease(jobID: 999, token: 1)
            f.clock.advance(500)
            #expect(try heartbeat.renew([], for: 1_000) == [])
            #expect(try heartbeat.renew([one.lease, stale, foreign, two.lease], for: 2_000) == [stale, foreign])
            #expect(try f.raw().rows("SELECT lease_expires_at FROM jobs") == [["\(f.clock.boot + 2_000)"], ["\(f.clock.boot + 2_000)"]])
            _ = try await f.complete(one)
            #expect(try heartbeat.renew([one.lease, two.lease], for: 2_000) == [one.lease])
        }
    }

    @Test func keepsAJobFromBeingRescued() async throws {
        try await withStore { f in
            let heartbeat = try Heartbeat(f.store)
            defer { heartbeat.close() }
            let job = try await f.running(lease: 900)
            for _ in 0..<10 {
                f.clock.advance(300)
                #expect(try heartbeat.renew([job.lease], for: 900) == [])
                #expect(try await f.store.maintenance.rescue() == 0)
            }
            f.clock.advance(901)
            #expect(try await f.store.maintenance.rescue() == 1)
            #expect(try heartbeat.renew([job.lease], for: 900) == [job.lease])
            // It is not given back by being asked for.
            #expect(try f.state(job.id) == .available)
        }
    }

    /// It has a connection of its own: another's short transaction delays it, and no more.
    @Test func anotherWritersLockIsWaitedFor() async throws {
        try await withStore { f in
            let job = try await f.running()
            let raw = try f.raw()
            try raw.run("BEGIN IMMEDIATE")
            let renewal = Task.detached {
                let heartbeat = try Heartbeat(f.store)
                defer { heartbeat.close() }
                return try heartbeat.renew([job.lease], for: 5_000)
            }
            try raw.run("INSERT INTO queues (name) VALUES ('theirs'); COMMIT")
            #expect(try await renewal.value == [])
        }
    }
}
