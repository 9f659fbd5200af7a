import AgentQueueModel
import AgentQueueReports
import AgentQueueStore
import Testing

/// Why the cache did not answer, by itself.
@Suite struct CacheReasonTests {
    /// One job as the store gives it.
    private static func job(_ id: Int64, _ change: (inout Job) -> Void = { _ in }) throws -> Job {
        var job = Job(
            id: id, kind: .generate, queue: "default", target: try #require(Target("local/m")), state: .completed, priority: 5, attempt: 1,
            maxAttempts: 5, createdAt: id * 1_000, scheduledAt: id * 1_000, request: ["messages": []], useCache: true, digest: [1])
        job.attemptedAt = id * 1_000 + 1
        job.finalizedAt = id * 1_000 + 100
        job.result = result("stop")
        change(&job)
        return job
    }

    private static func result(_ end: JSONValue, by source: AnsweredBy = .provider, _ target: String = "local/m") -> JobResult {
        JobResult(
            reply: ["text": "a", "finish_reason": end], usage: Usage(), cost: 0, answeredBy: source, target: target, latency: 1)
    }

    @Test("What is only known from the answers")
    func answers() throws {
        func reason(_ earlier: (inout Job) -> Void, _ later: (inout Job) -> Void = { _ in }) throws -> String {
            CacheReason.sentence(earlier: try Self.job(1, earlier), later: try Self.job(2, later), entry: nil)
        }
        #expect(try reason({ _ in }, { $0.result = Self.result("stop", by: .coalesced) }).contains("shared the call of an identical job"))
        #expect(
            try reason { $0.result = Self.result("length") }
                == "the answer of job 1 was incomplete (finish reason 'length'), so it was not cached")
        #expect(try reason { $0.result = Self.result(.null) }.contains("finish reason 'none'"))
        #expect(try reason { $0.result = Self.result("stop", by: .fallback, "openai/x") }.contains("the fallback openai/x"))
        #expect(
            try reason { $0.finalizedAt = 2_002 } == "job 1 was answered after job 2 had started")
        #expect(try reason { _ in }.contains("no longer cached"))
    }
}
