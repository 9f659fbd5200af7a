import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

@testable import AgentQueueWorker

/// A worker whose jobs share calls.
@Suite(.timeLimit(.minutes(2))) struct WorkerTests {
    private func texts(_ count: Int) -> [String] { (0..<count).map { "t\($0)" } }

    @Test func oneBadInputAmongAHundred() async throws {
        let provider = ScriptedProvider(ScriptedProvider.refusing(["t42"], .permanent))
        try await withBench(provider) {
            $0.drains = true
        } _: { b in
            let ids = try await b.add(texts(100))
            let worker = b.worker()
            try await worker.run()
            #expect(try b.counts(ids) == [.completed: 99, .discarded: 1])
            #expect(try b.store.jobs.get(ids[42])?.state == .discarded)
            #expect(provider.calls.count <= 16)
            #expect(worker.progress.completed == 99 && worker.progress.failed == 1 && worker.progress.running == 0)
        }
    }

    /// Slots are of calls, and what a full slot leaves behind comes later.
    @Test func asManyCallsAsSlots() async throws {
        let provider = ScriptedProvider(maxInputs: 10)
        try await withBench(provider) {
            $0.drains = true
            $0.concurrency = 2
        } _: { b in
            let ids = try await b.add(texts(95))
            try await b.worker().run()
            #expect(try b.counts(ids) == [.completed: 95])
            #expect(provider.calls.count == 10 && provider.mostUnderWay <= 2)
            #expect(provider.calls.allSatisfy { $0.count == 10 || $0.count == 5 })
        }
    }

    @Test func withoutSharingEachHasItsOwn() async throws {
        try await withBench {
            $0.drains = true
            $0.coalesces = false
        } _: { b in
            let ids = try await b.add(texts(7))
            try await b.worker().run()
            #expect(try b.counts(ids) == [.completed: 7])
            #expect(b.provider.calls.count == 7)
        }
    }

    /// Runs a worker that waits a minute for company, with one job answered and another that waits.
    private func lingering(_ body: (Bench, Worker, Int64) async throws -> Void) async throws {
        try await withBench(ScriptedProvider(maxInputs: 2)) {
            $0.linger = 60_000
            $0.concurrency = 2
        } _: { b in
            let worker = b.worker()
            async let run: Void = worker.run()
            let first = try await b.add(["first"])
            try await until("the first is answered") { try b.states(first) == [.completed] }
            let waiting = try await b.add(["waiting"])
            try await until("the second is claimed") { try b.states(waiting) == [.running] }
            #expect(b.provider.calls == [["first"]])
            try await body(b, worker, waiting[0])
            worker.beginShutdown()
            try await run
        }
    }

    @Test func companyComes() async throws {
        try await lingering { b, _, waiting in
            let company = try await b.add(["company"])
            try await until("both are answered") { try b.states([waiting] + company) == [.completed, .completed] }
            #expect(b.provider.calls == [["first"], ["waiting", "company"]])
        }
    }

    /// Stopped while it waits for company: the job goes back, and its attempt does not count.
    @Test func whatWaitsForCompanyGoesBack() async throws {
        try await lingering { b, worker, waiting in
            worker.beginShutdown()
            try await until("it is handed back") { try b.states([waiting]) == [.available] }
            #expect(try b.store.jobs.get(waiting)?.attempt == 0)
            #expect(b.provider.calls == [["first"]])
        }
    }

    @Test func whatWaitsForCompanyIsCancelled() async throws {
        try await lingering { b, _, waiting in
            _ = try await b.store.jobs.cancel(ids: [waiting])
            try await until("it is cancelled") { try b.states([waiting]) == [.cancelled] }
            #expect(b.provider.calls == [["first"]])
        }
    }

    /// Identical jobs of one worker are called for once.
    @Test func identicalJobsAreCalledForOnce() async throws {
        try await withBench {
            $0.drains = true
            $0.cacheTimeToLive = nil
        } _: { b in
            let ids = try await b.add(Array(repeating: "the same", count: 50) + ["another"])
            try await b.worker().run()
            #expect(try b.counts(ids) == [.completed: 51])
            #expect(b.provider.calls.joined().sorted() == ["another", "the same"])
        }
    }
}
