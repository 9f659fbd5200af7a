import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Logging
import Testing

@testable import AgentQueueGateway

@Suite struct JobWaitersTests {
    private func withWaiters(_ body: (QueueStore, JobWaiters) async throws -> Void) async throws {
        try await withFolder { folder in
            let store = try QueueStore(path: folder + "/queue.db")
            defer { store.close() }
            try await body(store, JobWaiters(store, logger: .silent))
        }
    }

    private func job() -> NewJob {
        NewJob(kind: .generate, target: Target(provider: "local", model: "m"), body: "{}", digest: Array(repeating: 1, count: 32))
    }

    @Test func aJobThatEndsBeforeItsIDIsKnownWakesItsWaiter() async throws {
        try await withWaiters { _, waiters in
            let signal = CallSignal()
            let mark = waiters.beginSubmission()
            waiters.ended(5, .completed)
            waiters.wait(for: 5, signal, since: mark)
            waiters.endSubmission()
            try await within(.seconds(10), "the waiter wakes") { await signal.wait(until: nil) }
            #expect(waiters.end(of: 5) == .completed)
            waiters.stop(5, signal)
            #expect(waiters.count == 0)
        }
    }

    /// The job failed and was retried while other requests came in: whoever attaches to it now waits for what becomes of it.
    @Test func anEndFromBeforeTheSubmissionIsNotTakenForTheJobsOwn() async throws {
        try await withWaiters { _, waiters in
            let (first, second) = (CallSignal(), CallSignal())
            _ = waiters.beginSubmission()
            waiters.ended(5, .discarded)
            let mark = waiters.beginSubmission()
            waiters.wait(for: 5, first, since: mark)
            waiters.wait(for: 5, second)
            #expect(waiters.end(of: 5) == nil)
            waiters.ended(5, .completed)
            #expect(waiters.end(of: 5) == .completed)
        }
    }

    @Test func theLastClientThatLeavesSaysWhoCameLast() async throws {
        try await withWaiters { _, waiters in
            let (first, second, viewer) = (CallSignal(), CallSignal(), CallSignal())
            waiters.wait(for: 5, first, client: 1)
            #expect(waiters.onlyClient(of: 5) == 1)
            waiters.wait(for: 5, second, client: 2)
            waiters.wait(for: 5, viewer)
            #expect(waiters.onlyClient(of: 5) == nil && waiters.isViewed(5))
            #expect(waiters.stop(5, second) == nil)
            #expect(waiters.stop(5, first) == 2)
            #expect(waiters.isViewed(5))
            #expect(waiters.stop(5, viewer) == nil)
            #expect(waiters.count == 0 && !waiters.isViewed(5))
        }
    }

    @Test func theEndOfAnotherProcessesJobIsFoundByTheBell() async throws {
        try await withWaiters { store, waiters in
            let job = try await store.jobs.enqueue(job())
            let signal = CallSignal()
            waiters.wait(for: job.id, signal)
            try await withThrowingTaskGroup { group in
                group.addTask { await waiters.run { .milliseconds(2) } }
                _ = try await store.jobs.cancel(ids: [job.id])
                try await within(.seconds(10), "the waiter wakes") {
                    while waiters.end(of: job.id) == nil { await signal.wait(until: nil) }
                }
                group.cancelAll()
            }
            #expect(waiters.end(of: job.id) == .cancelled)
        }
    }
}

@Suite struct CallSignalTests {
    @Test func aCallBeforeTheWaitIsNotMissed() async throws {
        let signal = CallSignal()
        signal.call()
        signal.call()
        try await within(.seconds(10), "the first wait ends") { await signal.wait(until: nil) }
        let start = ContinuousClock.now
        await signal.wait(until: start + .milliseconds(20))
        #expect(ContinuousClock.now >= start + .milliseconds(20))
    }

    @Test func aWaitEndsAtItsTimeWhateverTheWaitsBeforeItWanted() async throws {
        let signal = CallSignal()
        for time in [Duration.seconds(60), .milliseconds(20), .seconds(60), .milliseconds(40)] {
            signal.call()
            await signal.wait(until: .now + time)
        }
        let end = ContinuousClock.now + .milliseconds(20)
        try await within(.seconds(10), "the time comes") {
            while ContinuousClock.now < end { await signal.wait(until: end) }
        }
    }

    @Test func aCancelledTaskWaitsNoLonger() async throws {
        let signal = CallSignal()
        let task = Task { await signal.wait(until: nil) }
        task.cancel()
        try await within(.seconds(10), "the wait ends") { await task.value }
    }
}
