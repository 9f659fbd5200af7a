import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// Runs in the store: what one transaction writes of them, and by which ways they hear of ends.
@Suite struct RunTests {
    private static let chain = #"{"a": {}, "b": {"needs": ["a"]}, "c": {"needs": ["b"]}}"#
    private static let diamond = #"{"a": {}, "b": {"needs": ["a"]}, "c": {"needs": ["a"]}, "d": {"needs": ["b", "c"]}}"#
    private let planner = GraphPlanner()

    private func states(_ f: Fixture, _ run: Int64) throws -> [String: StepState] { try f.run(run).snapshot.steps.mapValues(\.state) }

    @Test func aChainGoesOnWithItsSettlements() async throws {
        try await withStore { f in
            let run = try await f.store.runs.start(.graph(Self.chain)).id
            for path in ["a", "b", "c"] {
                #expect(try f.run(run).summary.state == .running)
                let job = try await f.one()
                #expect(job.runID == run)
                #expect(try f.path(of: job.id) == path)
                let reads = f.clock.wallReads
                #expect(try await f.settleStep(job) == .settled(.completed))
                // One transaction: the store looks at the clock when one begins.
                #expect(f.clock.wallReads == reads + 1)
                #expect(try f.store.runs.due() == [])
            }
            let detail = try f.run(run)
            #expect(detail.summary.state == .completed && detail.summary.finalizedAt == f.clock.wall)
            #expect(detail.output == ["a": "completed", "b": "completed", "c": "completed"])
            #expect((detail.summary.begun, detail.summary.completed, detail.summary.failed) == (3, 3, 0))
            #expect(detail.summary.usage == Usage(inputTokens: 30, outputTokens: 9) && detail.summary.cost == 0.75)
            #expect(detail.calls.map(\.record.path) == ["a", "b", "c"])
            #expect(detail.calls.allSatisfy { $0.jobState == .completed && $0.attempts == 1 && $0.cost == 0.25 })
            #expect(try f.store.runs.stepOutputs(of: run, ["a", "c", "none"]) == ["a": "yes", "c": "yes"])
            #expect(try f.store.runs.list(limit: 10).map(\.id) == [run])
            #expect(try f.store.runs.list(states: [.failed], limit: 10) == [] && f.store.runs.list(name: "other", limit: 10) == [])
            #expect(try f.store.jobs.list(JobFilter(run: run), limit: 10).map(\.step) == ["c", "b", "a"])
        }
    }

    /// Without its options the rest of a run would ask another model, in another queue. Other runs go on.
    @Test func aRunWithDamagedOptionsDoesNotGoOn() async throws {
        try await withStore { f in
            var new = try NewRun.graph(Self.chain)
            new.options = RunOptions(queue: "own", tags: ["t"])
            let run = try await f.store.runs.start(new).id
            #expect(try f.snapshot(run).options == new.options)
            _ = try await f.store.write {
                try $0.statement(#"UPDATE runs SET options = replace(options, '"own"', '7')"#).run()
            }
            let error = #expect(throws: StoreError.self) { try f.store.runs.snapshot(run) }
            #expect(error?.kind == .corrupt && error?.message == "run 1 is damaged: \"options.queue\": expected a text")
        }
    }

    @Test func whatWasDecidedFromAnOlderRunIsNotWritten() async throws {
        try await withStore { f in
            let run = try await f.store.runs.start(.graph(Self.diamond)).id
            try await f.settleStep(f.one())
            let jobs = try await f.claim()
            #expect(jobs.count == 2)
            // Both are decided from the same snapshot: each would leave `d` to the other.
            let snapshot = try f.snapshot(run)
            func request(_ job: ClaimedJob) throws -> SettleRequest {
                var request = SettleRequest.answer(job)
                let path = try f.path(of: job.id)
                request.advance = try planner.plan(snapshot, ended: StepEnd(path: path, jobID: job.id, outcome: .completed(text: "yes")))
                return request
            }
            let first = try request(jobs[0])
            #expect(try await f.store.claims.settle(first) == .settled(.completed))
            let before = try f.row(jobs[1].id)
            let second = try request(jobs[1])
            #expect(try await f.store.claims.settle(second) == .stale)
            #expect(try f.row(jobs[1].id) == before, "nothing is written")
            #expect(try await f.settleStep(jobs[1]) == .settled(.completed))
            let last = try await f.one()
            #expect(try f.path(of: last.id) == "d")
        }
    }

    @Test func endsOfOtherKindsAreTold() async throws {
        try await withStore { f in
            // Without an advance, by cancellation and by expiry.
            let planner = GraphPlanner { run, path in
                var job = NewJob.asking("\(run.id) \(path)")
                if path == "c" { job.expiresAt = f.clock.wall + 100 }
                return job
            }
            let graph = #"{"a": {}, "b": {"optional": true}, "c": {"optional": true}, "d": {"needs": ["a", "b", "c"]}}"#
            let run = try await f.store.runs.start(.graph(graph, planner)).id
            let jobs = try await f.claim(1)
            #expect(try await f.complete(jobs[0]) == .settled(.completed))
            #expect(try f.store.runs.due() == [run] && f.store.maintenance.pending().hasDueRun)
            let b = try #require(try f.run(run).snapshot.steps["b"]?.jobID)
            _ = try await f.store.jobs.cancel(ids: [b])
            f.clock.advance(1_000)
            _ = try await f.store.maintenance.expire()
            try await f.resume(planner)
            #expect(try f.store.runs.due() == [] && !f.store.maintenance.pending().hasDueRun)
            #expect(try states(f, run) == ["a": .completed, "b": .failed, "c": .failed, "d": .running])
            #expect(try f.run(run).calls.first { $0.record.path == "b" }?.failure == "cancelled before it ran")
            try await f.settleStep(f.one(), by: planner)
            #expect(try f.run(run).summary.state == .completed)
        }
    }

    @Test func whatTheCacheAnswersGoesOnAtOnce() async throws {
        try await withStore { f in
            _ = try await f.store.runs.start(.graph(Self.chain))
            while let job = try await f.claim(1).first {
                var request = SettleRequest.answer(job, cacheFor: 1_000_000)
                let snapshot = try f.snapshot(try #require(job.runID))
                request.advance = try planner.plan(
                    snapshot, ended: StepEnd(path: try f.path(of: job.id), jobID: job.id, outcome: .completed(text: "yes")))
                _ = try await f.store.claims.settle(request)
            }
            let second = try await f.store.runs.start(.graph(Self.chain)).id
            #expect(try f.store.runs.isDue(run: second))
            try await f.store.runs.resume(run: second, with: planner)
            let detail = try f.run(second)
            #expect(detail.summary.state == .completed && detail.summary.cost == 0 && detail.summary.usage == Usage())
            #expect(detail.calls.allSatisfy { $0.answeredBy == .cache })
        }
    }

    @Test func identicalCallsOfTwoRunsAreOneCall() async throws {
        try await withStore { f in
            let runs = [try await f.store.runs.start(.graph(Self.chain)).id, try await f.store.runs.start(.graph(Self.chain)).id]
            var calls = 0
            while let job = try await f.claim(10).first {
                calls += 1
                try await f.settleStep(job)
                try await f.resume()
            }
            #expect(calls == 3)
            #expect(try f.store.runs.states(of: runs) == [runs[0]: .completed, runs[1]: .completed])
        }
    }

    @Test func aRunOfAUniqueKeyIsNotBegunTwice() async throws {
        try await withStore { f in
            var new = try NewRun.graph(Self.chain)
            new.uniqueKey = "k"
            let first = try await f.store.runs.start(new)
            #expect(first.duplicateOf == nil)
            #expect(try await f.store.runs.start(new) == StartedRun(id: first.id, duplicateOf: first.id))
            #expect(try await f.store.runs.cancel(run: first.id) == .cancelled)
            let second = try await f.store.runs.start(new)
            #expect(second.duplicateOf == nil)
            try await f.resume()
            let error = await storeError { _ = try await f.store.runs.advance(planner.retry(f.snapshot(first.id))) }
            #expect(error == StoreError(.conflict, "run 1 cannot be retried: run 2 has its unique key now"))
            try await f.workOff()
            #expect(try await f.store.runs.start(new).duplicateOf == second.id, "a run that completed keeps its key")
        }
    }

    // MARK: Failure, cancellation, retry

    @Test func aFailureStopsWhatHasNotBegun() async throws {
        try await withStore { f in
            let run = try await f.store.runs.start(.graph(#"{"a": {}, "b": {}, "c": {}, "d": {"needs": ["b"]}}"#)).id
            let jobs = try await f.claim(2)
            #expect(try await f.settleStep(jobs[0], .permanent) == .settled(.discarded))
            #expect(try f.run(run).summary.reason == "a failed")
            #expect(try f.store.maintenance.pending().hasSweep)
            while try await f.store.runs.sweep() {}
            try await f.resume()
            // `b` runs on, and is kept for a retry; `c` is cancelled.
            #expect(try states(f, run) == ["a": .failed, "b": .running, "c": .failed])
            // It fails, and would be tried again: but nobody waits for it.
            #expect(try await f.settleStep(jobs[1], .retryable) == .settled(.retryable))
            #expect(try f.store.maintenance.pending().hasSweep)
            while try await f.store.runs.sweep() {}
            try await f.resume()
            #expect(try states(f, run) == ["a": .failed, "b": .failed, "c": .failed])
            #expect(try !f.store.maintenance.pending().hasSweep)
        }
    }

    @Test func aRetryDoesOnlyWhatFailed() async throws {
        try await withStore { f in
            let run = try await f.store.runs.start(.graph(#"{"a": {}, "b": {}, "c": {}, "d": {"needs": ["a", "b", "c"]}}"#)).id
            let jobs = try await f.claim(2)
            try await f.settleStep(jobs[0], .permanent)
            // A late end of a run that has ended is recorded, and nothing else.
            #expect(try await f.settleStep(jobs[1]) == .settled(.completed))
            while try await f.store.runs.sweep() {}
            try await f.resume()
            #expect(try states(f, run) == ["a": .failed, "b": .completed, "c": .failed])
            #expect(try f.run(run).summary.state == .failed)

            let again = try planner.retry(f.snapshot(run))
            #expect(try await f.store.runs.advance(again))
            #expect(try f.run(run).summary.state == .running)
            #expect(try states(f, run) == ["a": .running, "b": .completed, "c": .running])
            try await f.resume()
            try await f.workOff()
            let detail = try f.run(run)
            #expect(detail.summary.state == .completed && detail.summary.reason == nil)
            #expect(detail.calls.count == 4, "no call has a second job")
            let stale = await storeError { _ = try await f.store.runs.advance(planner.retry(detail.snapshot)) }
            #expect(stale?.message == "run 1 is completed: only one that failed or was cancelled can be retried")
        }
    }

    @Test func aForgottenCallIsBegunAnew() async throws {
        try await withStore { f in
            let run = try await f.store.runs.start(.graph(#"{"a": {}}"#)).id
            let first = try await f.one()
            try await f.settleStep(first, .permanent)
            var advance = RunAdvance(run: run, version: try f.snapshot(run).version)
            advance.resumes = true
            advance.forgotten = ["a"]
            advance.begun = [NewStep(path: "a", job: .asking("again"))]
            #expect(try await f.store.runs.advance(advance))
            let second = try await f.one()
            #expect(second.id != first.id)
            #expect(try f.job(first.id).step == nil && f.job(first.id).runID == run)
            try await f.settleStep(second)
            #expect(try f.run(run).summary.state == .completed)
        }
    }

    @Test func cancellingStopsEverything() async throws {
        try await withStore { f in
            let graph = "{" + (0..<450).map { #""s\#($0)": {}"# }.joined(separator: ", ") + "}"
            let planner = GraphPlanner(most: 450)
            let run = try await f.store.runs.start(.graph(graph, planner)).id
            let jobs = try await f.claim(3)
            #expect(try await f.store.runs.cancel(run: run) == .cancelled)
            #expect(try await f.store.runs.cancel(run: run) == .cancelled)
            #expect(try await f.store.runs.cancel(run: 99) == nil)
            #expect(Set(try await f.cancellations()) == Set(jobs.map(\.lease)))
            let early = await storeError { _ = try await f.store.runs.advance(planner.retry(f.snapshot(run))) }
            #expect(early?.message == "calls of run 1 are still being stopped: try again in a moment")
            for job in jobs { #expect(try await f.fail(job, .cancelled) == .settled(.cancelled)) }
            while try await f.store.runs.sweep() {}
            try await f.resume(planner)
            #expect(try states(f, run).values.allSatisfy { $0 == .failed })
            #expect(try !f.store.maintenance.pending().hasSweep && f.run(run).summary.reason == "it was cancelled")
            let again = try planner.retry(f.snapshot(run))
            #expect(try await f.store.runs.advance(again))
            try await f.workOff(by: planner)
            try await f.resume(planner)
            #expect(try f.run(run).summary.state == .completed)
        }
    }

    @Test func aStepsJobIsNotRetriedOrDeletedAlone() async throws {
        try await withStore { f in
            _ = try await f.store.runs.start(.graph(Self.chain))
            let job = try await f.one()
            try await f.settleStep(job, .permanent)
            #expect(
                try await f.store.jobs.retry(ids: [job.id]).map(\.result) == [
                    .refused("it is a step of run 1; retry the run instead")
                ])
            #expect(
                try await f.store.jobs.delete(ids: [job.id]).map(\.result) == [
                    .refused("it is a step of run 1; pruning removes it with its run")
                ])
        }
    }

    // MARK: What goes wrong

    @Test func aPlanThatCannotBeMadeEndsTheRun() async throws {
        try await withStore { f in
            let run = try await f.store.runs.start(.graph(Self.chain)).id
            _ = try await f.complete(f.one())
            try await f.resume(GraphPlanner(isBroken: true))
            #expect(try f.run(run).summary.state == .failed)
            #expect(try f.run(run).summary.reason?.hasPrefix("it could not go on: Broken") == true)
            #expect(try f.run(run).snapshot.steps["a"]?.state == .completed)
        }
    }

    /// One that begins a call twice, as no planner should.
    private struct Doubling: RunPlanner {
        func plan(_ run: RunSnapshot, ended: StepEnd?) throws -> RunAdvance {
            var advance = RunAdvance(run: run.id, version: run.version)
            advance.told = run.ends
            advance.begun = [NewStep(path: "a", job: .asking("twice"))]
            return advance
        }
    }

    @Test func aCallThatWouldBeBegunTwiceEndsTheRun() async throws {
        try await withStore { f in
            let run = try await f.store.runs.start(.graph(Self.chain)).id
            _ = try await f.complete(f.one())
            while try await f.store.runs.resume(runs: Doubling()) {}
            #expect(try f.run(run).summary.reason == "it could not go on: run 1 began 'a' a second time")
            #expect(try f.store.jobs.list(JobFilter(run: run), limit: 10).count == 1, "nothing of the refused transaction is there")
        }
    }

    @Test func aCallThatCouldNotBeMadeIsOnRecord() async throws {
        try await withStore { f in
            var new = try NewRun.graph(Self.chain)
            new.first.begun = []
            new.first.told = [StepEnd(path: "a", jobID: nil, outcome: .failed(message: "the model is unknown"))]
            new.first.end = .failed("a failed")
            let run = try await f.store.runs.start(new).id
            let call = try #require(try f.run(run).calls.first)
            #expect(call.record == StepRecord(path: "a", jobID: nil, state: .failed, message: "the model is unknown"))
            #expect(call.failure == "the model is unknown" && call.jobState == nil)
        }
    }

    @Test func moreThanOneTransactionBegins() async throws {
        try await withStore(durability: .normal) { f in
            let graph = "{" + (0..<70).map { #""s\#($0)": {}"# }.joined(separator: ", ") + "}"
            let planner = GraphPlanner(most: 20)
            let run = try await f.store.runs.start(.graph(graph, planner)).id
            #expect(try f.store.runs.due() == [run])
            try await f.resume(planner)
            #expect(try f.run(run).summary.begun == 70)
            try await f.workOff(by: planner)
            #expect(try f.run(run).summary.state == .completed)
        }
    }

    // MARK: Pruning

    @Test func runsArePrunedWithTheirJobs() async throws {
        try await withStore(durability: .normal) { f in
            let hour: Int64 = 3_600_000
            let policy = PrunePolicy(completed: hour, cancelled: 2 * hour, discarded: 3 * hour)
            let completed = try await f.store.runs.start(.graph(Self.chain)).id
            try await f.workOff()
            let failed = try await f.store.runs.start(.graph(Self.diamond)).id
            try await f.workOff(failing: ["b"])
            while try await f.store.runs.sweep() {}
            try await f.resume()
            let last = try #require(try f.run(completed).snapshot.steps["c"]?.jobID)
            let dependent = try await f.add { $0.after = [last] }
            let live = try await f.store.runs.start(.graph(#"{"z": {}}"#, name: "live")).id
            _ = try await f.store.jobs.pause(queue: "default")
            f.clock.advance(hour)
            #expect(try await f.store.maintenance.prune(policy, dryRun: true).runs == 1)
            let report = try await f.store.maintenance.prune(policy)
            #expect(report.runs == 1 && report.jobs == 0)
            #expect(try f.store.runs.list(limit: 9).map(\.id) == [live, failed])
            #expect(try f.state(dependent) == .available, "what waits for a step's job does not go with it")
            f.clock.advance(2 * hour)
            #expect(try await f.store.maintenance.prune(policy).runs == 1)
            #expect(try f.store.runs.list(limit: 9).map(\.id) == [live])
            #expect(try f.count(of: "pipelines") == 1)
            #expect(try f.count(of: "run_steps") == 1)
        }
    }

    // MARK: Checking

    @Test(arguments: [
        ("UPDATE run_steps SET state = 'failed' WHERE path = 'a'", "a step's state is not its job's"),
        ("UPDATE run_steps SET state = 'running' WHERE path = 'a'", "a run will not be told of the end of its step"),
        ("INSERT INTO run_ends (job_id, run_id) VALUES (1, 1)", "a run is to be told of an end that is none"),
        ("UPDATE jobs SET run_id = NULL WHERE id = 1", "a step's job is not its run's"),
        ("DELETE FROM run_steps WHERE path = 'b'", "a run waits for nothing"),
        ("UPDATE runs SET sweep = 1", "a run goes on, and its calls are to be cancelled"),
        ("UPDATE runs SET state = 'failed', finalized_at = 1", "a run has ended, and calls of it go on"),
    ])
    func faultsAreFound(_ sql: String, _ sentence: String) async throws {
        try await withFolder { folder in
            let store = try QueueStore(path: folder + "/q.db")
            defer { store.close() }
            _ = try await store.runs.start(.graph(Self.chain))
            let worker = try await store.claims.registerWorker().id
            let request = ClaimRequest(worker: worker, queues: nil, providers: ["local"], slots: 1, lease: 1_000, isIdle: true)
            let job = try #require(try await store.claims.claim(request).jobs.first)
            var settle = SettleRequest.answer(job)
            let snapshot = try #require(try store.runs.snapshot(1))
            settle.advance = try planner.plan(
                snapshot, ended: StepEnd(path: "a", jobID: job.id, outcome: .completed(text: "yes")))
            _ = try await store.claims.settle(settle)
            #expect(try store.maintenance.check().faults == [])
            try RawConnection(folder + "/q.db").run(sql)
            let faults = try store.maintenance.check().faults
            #expect(faults.contains { $0.hasPrefix(sentence) }, "\(faults)")
        }
    }
}
