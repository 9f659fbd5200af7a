import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import Testing

/// A job's timeline: what happened, in order, as text and as JSON.
@Suite struct JobTimelineTests {
    /// 2027-01-15T08:00:00Z.
    private static let start: Int64 = 1_800_000_000_000

    private func job(_ state: JobState, attempt: Int) throws -> Job {
        let target = try #require(Target("local/m"))
        var job = Job(
            id: 1, kind: .generate, queue: "default", target: target, state: state, priority: 5, attempt: attempt, maxAttempts: 5,
            createdAt: Self.start, scheduledAt: Self.start, request: [:], useCache: true, digest: [])
        job.attemptedAt = Self.start + 30_000
        job.finalizedAt = state.isFinal ? Self.start + 32_000 : nil
        return job
    }

    @Test("Waits, failed attempts and the answer stand in the order in which they began")
    func whole() throws {
        var job = try job(.completed, attempt: 2)
        job.result = JobResult(
            reply: [:], usage: Usage(), cost: 0, answeredBy: .provider, target: "local/m", latency: 2_000)
        var history = JobHistory()
        history.waits = [
            JobHistory.Wait(
                reason: "limit", detail: "local has reached its limit of 1 request a minute", beganAt: Self.start,
                endedAt: Self.start + 10_000)
        ]
        history.failedAttempts = [
            JobHistory.FailedAttempt(
                attempt: 1, beganAt: Self.start + 10_000, endedAt: Self.start + 12_000, failure: .overloaded, target: "local/m")
        ]
        let timeline = JobTimeline(job, history)
        #expect(timeline.events.map(\.kind) == [.created, .waited, .attempt, .attempt, .finished])
        #expect(
            timeline.lines == [
                "2027-01-15 08:00:00.000  created",
                "2027-01-15 08:00:00.000  waited 10s: local has reached its limit of 1 request a minute",
                "2027-01-15 08:00:10.000  attempt 1 failed in 2s: overloaded",
                "2027-01-15 08:00:30.000  attempt 2 answered in 2s: local/m",
                "2027-01-15 08:00:32.000  completed",
            ])
        let waits = try #require(timeline.json(.waited).array)
        #expect(waits.map { $0["reason"] } == ["limit"])
        #expect(waits.map { $0["seconds"]?.number } == [10])
        #expect(timeline.json(.attempt).array?.map { $0["outcome"] } == ["failed", "answered"])
        #expect(timeline.json().array?.count == 5)
    }

    @Test("A provider that is not reached costs no attempt, and the timeline does not number it as one")
    func notReached() throws {
        var history = JobHistory()
        for second in [0, 2_000] as [Int64] {
            history.failedAttempts.append(
                JobHistory.FailedAttempt(
                    attempt: 1, beganAt: Self.start + second, endedAt: Self.start + second + 1_000, failure: .unreachable,
                    target: "local/m"))
        }
        let timeline = JobTimeline(try job(.running, attempt: 1), history)
        #expect(
            timeline.lines == [
                "2027-01-15 08:00:00.000  created",
                "2027-01-15 08:00:00.000  not reached after 1s: local/m (counts as no attempt)",
                "2027-01-15 08:00:02.000  not reached after 1s: local/m (counts as no attempt)",
                "2027-01-15 08:00:30.000  attempt 1 running",
            ])
        #expect(timeline.json(.attempt).array?.map { $0["outcome"] } == ["not_reached", "not_reached", "running"])
    }

    @Test("A job that was asked again shows both attempts")
    func again() throws {
        var job = try job(.completed, attempt: 1)
        job.result = JobResult(reply: [:], usage: Usage(), cost: 0, answeredBy: .provider, target: "local/m", latency: 2_000)
        var history = JobHistory()
        history.replaced = JobHistory.ReplacedAnswer(
            attempt: 1, beganAt: Self.start + 100, endedAt: Self.start + 1_100, replacedAt: Self.start + 20_000, answeredBy: .provider,
            target: "local/old")
        let timeline = JobTimeline(job, history)
        #expect(
            timeline.lines.map { $0.dropFirst(25) } == [
                "created", "attempt 1 answered in 1s: local/old", "asked again", "attempt 1 answered in 2s: local/m", "completed",
            ])
        #expect(timeline.json().array?.map { $0["event"] } == ["created", "attempt", "again", "attempt", "finished"])
    }

    @Test("A wait that nothing else explains was for a free worker, and a running attempt has no end")
    func running() throws {
        let timeline = JobTimeline(try job(.running, attempt: 1), JobHistory())
        #expect(timeline.events.map(\.word) == ["created", "worker", "running"])
        #expect(timeline.json(.waited).array?.map { $0["seconds"]?.number } == [30])
        #expect(timeline.json(.attempt).array?.first?["ended_at"] == .null)
        #expect(timeline.lines[1] == "2027-01-15 08:00:00.000  waited 30s for a free worker")
    }

    @Test(
        "A wait that ended when the first worker came says that none was running",
        arguments: [(-1, false), (29_000, true), (10_000, false)])
    func noWorker(_ since: Int64, _ isSaid: Bool) throws {
        var history = JobHistory()
        history.workersSince = Self.start + since
        let timeline = JobTimeline(try job(.running, attempt: 1), history)
        let words = isSaid ? "waited 30s: no worker was running" : "waited 30s for a free worker"
        #expect(timeline.lines[1] == "2027-01-15 08:00:00.000  \(words)")
    }
}
