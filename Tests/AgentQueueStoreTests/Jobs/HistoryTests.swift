import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// What is kept of why a job waited, when its attempts ran, and what was sent.
@Suite struct HistoryTests {
    @Test("A job that did not wait and succeeded at once has no history")
    func nothing() async throws {
        try await withStore { f in
            let job = try await f.running()
            _ = try await f.complete(job)
            var history = try f.store.jobs.history(of: job.id)
            // It is about the workers, and known of every job.
            history.workersSince = nil
            #expect(history == JobHistory())
            for table in ["job_waits", "sent_requests", "job_errors"] { #expect(try f.count(of: table) == 0, "\(table)") }
        }
    }

    @Test("A wait for a limit is recorded when it ends, with the limit's name")
    func limit() async throws {
        try await withStore { f in
            var request = f.request(slots: 5)
            request.policies.limits["local"] = CallLimits(requestsPerMinute: 1)
            let (first, second) = (try await f.add("one"), try await f.add("two"))
            let round = try await f.store.claims.claim(request)
            #expect(round.jobs.map(\.id) == [first])
            let began = f.clock.wall
            request.waits = round.waits
            request.waits = try await f.store.claims.claim(request).waits
            let cause = try #require(request.waits.lanes.values.first?.cause)
            #expect(cause == WaitCause(kind: .limit, name: "local", detail: "1 request a minute", until: began + 60_000))
            f.clock.wall += 60_000
            #expect(try await f.store.claims.claim(request).jobs.map(\.id) == [second])
            #expect(try f.store.jobs.history(of: first).waits == [])
            #expect(
                try f.store.jobs.history(of: second).waits == [
                    JobHistory.Wait(
                        reason: "limit", detail: "local has reached its limit of 1 request a minute", beganAt: began, endedAt: f.clock.wall)
                ])
        }
    }

    @Test("A pause of the queue is recorded, from the job's arrival to the queue's return; a short one is not")
    func queue() async throws {
        try await withStore { f in
            try await f.store.jobs.pause(queue: "default")
            f.clock.wall += 10_000
            let long = try await f.add("long")
            let began = f.clock.wall
            f.clock.wall += 5_000
            let short = try await f.add("short")
            f.clock.wall += 500
            try await f.store.jobs.resume(queue: "default")
            let ended = f.clock.wall
            f.clock.wall += 3_000
            #expect(try await Set(f.claim().map(\.id)) == [long, short])
            #expect(
                try f.store.jobs.history(of: long).waits == [
                    JobHistory.Wait(reason: "queue", detail: "the queue was paused", beganAt: began, endedAt: ended)
                ])
            #expect(try f.store.jobs.history(of: short).waits == [])
        }
    }

    @Test("A wait for another job is recorded when that completes")
    func dependency() async throws {
        try await withStore { f in
            let first = try await f.running()
            let began = f.clock.wall
            let second = try await f.add("second") { $0.after = [first.id] }
            f.clock.wall += 4_000
            _ = try await f.complete(first)
            try await f.cascade()
            #expect(
                try f.store.jobs.history(of: second).waits == [
                    JobHistory.Wait(reason: "dependency", detail: "the jobs that it depends on", beganAt: began, endedAt: f.clock.wall)
                ])
        }
    }

    @Test("A failed attempt keeps its start and its end")
    func attempts() async throws {
        try await withStore { f in
            let job = try await f.running()
            let began = f.clock.wall
            f.clock.wall += 2_500
            try await f.fail(job)
            #expect(
                try f.store.jobs.history(of: job.id).failedAttempts.map { [$0.beganAt, $0.endedAt] } == [[began, f.clock.wall]])
        }
    }

    @Test("The request that was sent in a job's place is kept: that of the latest attempt, as long as the job")
    func sent() async throws {
        try await withStore { f in
            let job = try await f.running()
            var request = SettleRequest.failure(job, .retryable, retryAfter: nil, now: f.clock.wall)
            request.sent = #"{"messages":["first"]}"#
            _ = try await f.store.claims.settle(request)
            f.clock.wall += 3_600_000
            while try await f.store.maintenance.promote().promoted > 0 {}
            var answer = SettleRequest.answer(try await f.one())
            answer.sent = #"{"messages":["second"]}"#
            _ = try await f.store.claims.settle(answer)
            #expect(try f.store.jobs.history(of: job.id).sent == ["messages": ["second"]])
            #expect(try await f.store.jobs.delete(ids: [job.id]).map(\.result) == [.changed(.completed)])
            #expect(try f.count(of: "sent_requests") == 0)
        }
    }
}

extension Fixture {
    fileprivate func request(slots: Int) -> ClaimRequest {
        ClaimRequest(worker: worker, queues: nil, providers: ["local"], slots: slots, lease: 60_000, isIdle: true)
    }
}
