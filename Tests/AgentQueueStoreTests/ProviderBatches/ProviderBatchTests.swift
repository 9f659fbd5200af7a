import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// Jobs that wait for a batch of their provider, as the store keeps them.
@Suite struct ProviderBatchTests {
    private static let capacity = ["local": BatchCapacity(items: 1_000, bytes: 1 << 20)]

    private func claim(
        _ f: Fixture, _ slots: Int = 10, _ capacities: [String: BatchCapacity] = capacity, _ policies: CallPolicies = CallPolicies()
    ) async throws -> ClaimRound {
        var request = ClaimRequest(
            worker: f.worker, queues: nil, providers: ["local", "other"], slots: slots, lease: 60_000, isIdle: true, policies: policies)
        request.batchCapacities = capacities
        return try await f.store.claims.claim(request)
    }

    private func addBatched(_ f: Fixture, _ count: Int = 1, _ configure: (inout NewJob) -> Void = { _ in }) async throws -> [Int64] {
        try await f.add(count) {
            $0.usesBatchAPI = true
            configure(&$0)
        }
    }

    @Test func theyTakeNoSlotFromOthers() async throws {
        try await withStore { f in
            let batched = try await addBatched(f, 20) { $0.priority = 1 }
            let others = try await f.add(12)
            let round = try await claim(f)
            #expect(round.jobs.map(\.id) == Array(others.prefix(10)))
            #expect(try f.states(batched).allSatisfy { $0 == .pending })
            #expect(try f.store.providerBatches.list().map(\.jobs) == [20])
            #expect(try f.store.providerBatches.batch(ofJob: batched[3]) == 1)
            #expect(try f.job(batched[0]).attempt == 0)
        }
    }

    @Test func aRoundTurnsABoundedNumberAside() async throws {
        try await withStore(durability: .normal) { f in
            _ = try await addBatched(f, 1_200)
            let rings = try await f.rings { _ = try await claim(f, 100) }
            #expect(rings)
            #expect(try f.store.providerBatches.list().map(\.jobs) == [500])
            _ = try await claim(f)
            _ = try await claim(f)
            // The first holds all it can.
            #expect(try f.store.providerBatches.list().map(\.jobs) == [200, 1_000])
            let ringsAgain = try await f.rings { _ = try await claim(f) }
            #expect(!ringsAgain)
        }
    }

    @Test func withoutABatchAPITheyRunAsAnyJob() async throws {
        try await withStore { f in
            let ids = try await addBatched(f, 2)
            #expect(try await claim(f, 10, [:]).jobs.map(\.id) == ids)
        }
    }

    @Test func whatIsTooLargeOrTooUrgentRunsAlone() async throws {
        try await withStore { f in
            let small = ["local": BatchCapacity(items: 3, bytes: 1_000)]
            let large = try await f.add(String(repeating: "x", count: 600)) { $0.usesBatchAPI = true }
            let urgent = try await f.add("u") {
                $0.usesBatchAPI = true
                $0.deadline = f.clock.wall + 60_000
            }
            let texts = try await f.add("t") {
                $0.usesBatchAPI = true
                $0.inputs = 4
            }
            let fits = try await f.add("f") { $0.usesBatchAPI = true }
            #expect(try await claim(f, 10, small).jobs.map(\.id) == [large, urgent, texts])
            #expect(try f.state(fits) == .pending)
        }
    }

    @Test func bytesBoundABatch() async throws {
        try await withStore { f in
            let small = ["local": BatchCapacity(items: 100, bytes: 2_500)]
            _ = try await addBatched(f, 9)
            _ = try await claim(f, 10, small)
            let batches = try f.store.providerBatches.list()
            #expect(batches.map(\.jobs).reduce(0, +) == 9 && batches.allSatisfy { $0.jobs <= 4 } && batches.count == 3)
            #expect(try f.raw().value("SELECT max(bytes) <= 2500 FROM provider_batches") == "1")
        }
    }

    @Test func budgetsAreAskedAtTheBatchsPrice() async throws {
        try await withStore { f in
            let cheap = try await f.add("cheap") {
                $0.usesBatchAPI = true
                $0.budget = 0.6
            }
            let dear = try await f.add("dear") {
                $0.usesBatchAPI = true
                $0.budget = 0.4
            }
            _ = try await claim(f, 10, Self.capacity, .limiting([:], worst: 1))
            #expect(try f.states([cheap, dear]) == [.pending, .discarded])
            #expect(try f.job(dear).errors.map(\.failure) == [.quotaExhausted])
        }
    }

    @Test func expiryAndCancellationLeaveTheBatch() async throws {
        try await withStore { f in
            let expiring = try await addBatched(f) { $0.expiresAt = f.clock.wall + 1_000 }
            let others = try await addBatched(f, 2)
            _ = try await claim(f)
            f.clock.advance(1_000)
            #expect(try await f.store.maintenance.expire() == 1)
            #expect(try f.states(expiring) == [.discarded])
            #expect(try await f.store.jobs.cancel(where: JobFilter()) == 2)
            #expect(try f.states(others) == [.cancelled, .cancelled])
            #expect(try f.store.providerBatches.list().isEmpty)
        }
    }

    // MARK: Who looks after it

    @Test func oneAtATimeLooksAfterABatch() async throws {
        try await withStore { f in
            _ = try await addBatched(f, 2)
            _ = try await claim(f)
            let seen = try #require(try f.store.providerBatches.open(of: "local").first)
            let other = try await f.store.claims.registerWorker().id
            let held = try #require(try await f.store.providerBatches.take(seen, worker: f.worker, lease: 10_000))
            #expect(try await f.store.providerBatches.take(seen, worker: other, lease: 10_000) == nil)
            #expect(f.store.providerBatches.isOwned(held))
            // No job joins what is about to be sent.
            _ = try await addBatched(f)
            _ = try await claim(f)
            #expect(try f.store.providerBatches.list().map(\.jobs) == [1, 2])
            f.clock.advance(10_000)
            #expect(!f.store.providerBatches.isOwned(held))
            #expect(try await f.store.providerBatches.renew(held, for: 10_000), "a late renewal counts where no one came")
            f.clock.advance(10_001)
            let lapsed = try #require(try f.store.providerBatches.open(of: "local").first)
            let taken = try #require(try await f.store.providerBatches.take(lapsed, worker: other, lease: 10_000))
            // The first is fenced in all it does.
            #expect(try await f.store.providerBatches.renew(held, for: 10_000) == false)
            #expect(
                try await f.store.providerBatches.update(held.submitting(BatchPolicy(), now: 0), from: .collecting, releases: false)
                    == false)
            #expect(try await f.store.providerBatches.dismiss([1], from: held, .live, reason: "x") == false)
            #expect(try await f.store.providerBatches.settle([], of: held) == [])
            try await f.store.providerBatches.release(held)
            #expect(try f.store.providerBatches.open(of: "local").first?.owner?.token == taken.owner?.token)
            // An intent is for as many jobs as are sent.
            let intent = taken.submitting(BatchPolicy(), now: f.clock.wall)
            #expect(try await f.store.providerBatches.update(intent, from: .collecting, expecting: 3, releases: false) == false)
            #expect(try await f.store.providerBatches.update(intent, from: .collecting, expecting: 2, releases: true))
        }
    }

    @Test func aDeadWorkersBatchIsFreeAtOnce() async throws {
        try await withStore { f in
            _ = try await addBatched(f)
            _ = try await claim(f)
            let seen = try #require(try f.store.providerBatches.open(of: "local").first)
            let held = try #require(try await f.store.providerBatches.take(seen, worker: try f.deadWorker(), lease: 1_000_000))
            #expect(!f.store.providerBatches.isOwned(held))
            #expect(try await f.store.providerBatches.take(seen, worker: f.worker, lease: 1_000) == nil, "what was seen is past")
            #expect(try await f.store.providerBatches.take(held, worker: f.worker, lease: 1_000) != nil)
        }
    }

    /// Who knows for certain wins over who only guessed.
    @Test func aGuessGivesWay() async throws {
        try await withStore { f in
            let one = ["local": BatchCapacity(items: 1, bytes: 1 << 20)]
            _ = try await addBatched(f, 2)
            _ = try await claim(f, 10, one)
            var held: [ProviderBatch] = []
            for batch in try f.store.providerBatches.open(of: "local") {
                let taken = try #require(try await f.store.providerBatches.take(batch, worker: f.worker, lease: 10_000))
                let intent = taken.submitting(BatchPolicy(), now: f.clock.wall)
                #expect(try await f.store.providerBatches.update(intent, from: .collecting, releases: false))
                held.append(intent)
            }
            let remote = RemoteBatch(id: "r", status: .inProgress, createdAt: 0)
            let guess = held[0].submitted(as: remote, isCertain: false, BatchPolicy(), now: f.clock.wall)
            #expect(try await f.store.providerBatches.update(guess, from: .submitting, releases: false))
            let otherGuess = held[1].submitted(as: remote, isCertain: false, BatchPolicy(), now: f.clock.wall)
            #expect(try await f.store.providerBatches.update(otherGuess, from: .submitting, releases: false) == false)
            #expect(try f.store.providerBatches.takenRemoteIDs(besides: held[1]) == ["r": false])
            let known = held[1].submitted(as: remote, isCertain: true, BatchPolicy(), now: f.clock.wall)
            #expect(try await f.store.providerBatches.update(known, from: .submitting, releases: false))
            let batches = try f.store.providerBatches.open(of: "local")
            #expect(batches.map(\.remoteID) == [nil, "r"] && batches[0].state == .submitting && batches[0].excluded == ["r"])
            #expect(batches[0].owner == nil)
        }
    }

    @Test func aRefusedBatchMarksItsJobsOnce() async throws {
        try await withStore { f in
            let ids = try await addBatched(f, 2)
            for expected in ["2", "0"] {
                _ = try await claim(f)
                let seen = try #require(try f.store.providerBatches.open(of: "local").first)
                let held = try #require(try await f.store.providerBatches.take(seen, worker: f.worker, lease: 10_000))
                let returning = held.returning(.suspect, "no")
                #expect(try await f.store.providerBatches.update(returning, from: .collecting, releases: false))
                #expect(try await f.store.providerBatches.returnRest(of: returning) == false)
                #expect(try f.raw().value("SELECT group_concat(DISTINCT batch_api) FROM jobs") == expected)
            }
            #expect(try await claim(f).jobs.map(\.id) == ids)
        }
    }

    /// What is taken in again, after a crash, changes nothing; and what no one waits for is charged all the same.
    @Test func anItemIsSettledOnce() async throws {
        try await withStore { f in
            let ids = try await addBatched(f, 3)
            _ = try await claim(f)
            let seen = try #require(try f.store.providerBatches.open(of: "local").first)
            let held = try #require(try await f.store.providerBatches.take(seen, worker: f.worker, lease: 10_000))
            let remote = RemoteBatch(id: "r", status: .inProgress, createdAt: 0)
            let sent = held.submitted(as: remote, isCertain: true, BatchPolicy(), now: f.clock.wall)
            #expect(try await f.store.providerBatches.update(sent, from: .collecting, releases: false))
            _ = try await f.store.jobs.cancel(ids: [ids[1]])
            let members = try f.store.providerBatches.members(of: sent, after: 0, limit: 10)
            #expect(members.map(\.job.id) == ids && members.map(\.isGivenUp) == [false, true, false])
            #expect(members.map(\.job.attempt) == [1, 1, 1])
            let requests = members.prefix(2).map { member in
                var request = SettleRequest.answer(member.job, cacheFor: 10_000)
                request.call = CallReport(target: member.job.target, cost: 0.25)
                return request
            }
            #expect(try await f.store.providerBatches.settle(requests, of: sent) == [.settled(.completed), .fenced])
            #expect(try await f.store.providerBatches.settle(requests, of: sent) == [nil, nil])
            #expect(try f.charges() == [["answered", "local/m", "1", "0.25"], ["fenced", "local/m", "1", "0.25"]])
            #expect(try f.states(ids) == [.completed, .cancelled, .pending])
            #expect(try f.store.jobs.lanes().map(\.cost) == [0.5])
            #expect(try f.store.cache.entries(limit: 9).count == 2)
            let returning = sent.returning(.again, nil)
            #expect(try await f.store.providerBatches.update(returning, from: .submitted, releases: false))
            #expect(try await f.store.providerBatches.returnRest(of: returning) == false)
            #expect(try f.states(ids) == [.completed, .cancelled, .available] && f.job(ids[2]).attempt == 0)
        }
    }

    @Test func endedBatchesArePrunedAfterAMonth() async throws {
        try await withStore { f in
            _ = try await addBatched(f)
            _ = try await claim(f)
            let seen = try #require(try f.store.providerBatches.open(of: "local").first)
            let held = try #require(try await f.store.providerBatches.take(seen, worker: f.worker, lease: 10_000))
            let returning = held.returning(.live, "no")
            #expect(try await f.store.providerBatches.update(returning, from: .collecting, releases: false))
            _ = try await f.store.providerBatches.returnRest(of: returning)
            let policy = PrunePolicy(completed: .max / 4, cancelled: .max / 4, discarded: .max / 4)
            f.clock.advance(29 * 86_400_000)
            _ = try await f.store.maintenance.prune(policy)
            #expect(try f.store.providerBatches.list().map(\.state) == [.ended])
            f.clock.advance(2 * 86_400_000)
            _ = try await f.store.maintenance.prune(policy)
            #expect(try f.store.providerBatches.list().isEmpty)
        }
    }

    @Test(arguments: [
        ("UPDATE jobs SET state = 'available' WHERE id = 1", "a job of a provider's batch does not wait for it: job_id 1"),
        ("DELETE FROM provider_batch_jobs WHERE job_id = 1", "a pending job waits for nothing: id 1"),
        ("DELETE FROM provider_batch_jobs WHERE job_id = 1", "a count of a provider's batch is wrong: id 1, kept 2, found 1"),
        ("UPDATE provider_batches SET jobs = 1", "a count of a provider's batch is wrong: id 1, kept 1, found 2"),
        ("UPDATE provider_batches SET bytes = 1", "a count of a provider's batch is wrong: id 1"),
        ("UPDATE provider_batches SET state = 'ended'", "a provider's batch that has ended holds a job: batch_id 1"),
        (
            """
            INSERT INTO provider_batches (target, provider, kind, state, label, jobs, created_at, due_at)
            VALUES ('local/m', 'local', 'generate', 'submitted', 'x', 9, 0, 0);
            INSERT INTO provider_batch_jobs (batch_id, job_id, lane_id, inputs, bytes) VALUES (2, 1, 1, 1, 1)
            """, "a job is in two batches of its provider: job_id 1"
        ),
    ])
    func aPlantedFaultIsFound(_ sql: String, _ sentence: String) async throws {
        try await withFolder { folder in
            let store = try QueueStore(path: folder + "/q.db", options: StoreOptions(durability: .normal))
            defer { store.close() }
            let worker = try await store.claims.registerWorker().id
            for name in ["a", "b"] { _ = try await store.jobs.enqueue(.with(.asking(name)) { $0.usesBatchAPI = true }) }
            var request = ClaimRequest(worker: worker, queues: nil, providers: ["local"], slots: 4, lease: 60_000, isIdle: true)
            request.batchCapacities = Self.capacity
            _ = try await store.claims.claim(request)
            #expect(try store.maintenance.check().faults == [])
            try RawConnection(folder + "/q.db").run(sql)
            let faults = try store.maintenance.check().faults
            #expect(faults.contains { $0.hasPrefix(sentence) }, "\(faults)")
        }
    }
}
