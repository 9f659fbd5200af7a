import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import Testing

@testable import AgentQueue

/// What calls may cost at worst, before they are made.
@Suite struct CostTests {
    private static func job(_ change: (inout JobDraft) -> Void = { _ in }) throws -> (job: NewJob, cost: Double?) {
        var settings = Settings(database: "/nonexistent/queue.db")
        var model = ModelSettings()
        model.price = PriceSettings(inputPerMTok: 1, outputPerMTok: 10)
        model.maxOutputTokens = 100
        settings.models = ["openai/priced": model]
        var draft = JobDraft()
        draft.prompt = "hello"
        draft.model = "openai/priced"
        change(&draft)
        let job = try draft.validated(in: settings.intakeContext(now: 0))
        return (job, settings.worstCosts()(job))
    }

    @Test func everyByteIsATokenAndTheAnswerAsLongAsItMayBe() throws {
        let (job, cost) = try Self.job()
        #expect(abs((cost ?? 0) - (Double(job.body.utf8.count) + 1_000) / 1_000_000) < 1e-12)
        let short = try Self.job { $0.maxTokens = 7 }
        #expect(abs((short.cost ?? 0) - (Double(short.job.body.utf8.count) + 70) / 1_000_000) < 1e-12)
    }

    @Test func theBatchAPIHalvesIt() throws {
        let full = try #require(try Self.job().cost)
        let half = try #require(try Self.job { $0.batchAPI = true }.cost)
        #expect(abs(half - full / 2) < 1e-15)
    }

    @Test func withoutAPriceNothingIsGuessed() throws {
        #expect(try Self.job { $0.model = "anthropic/other" }.cost == nil)
        #expect(try Self.job { $0.model = nil }.cost == 0, "a server on this machine is free")
        #expect(try Self.job { $0.model = "anthropic/claude-haiku-4-5" }.cost ?? 0 > 0, "a list price is known")
    }

    @Test func theConfigurationsWordOnTheBatchAPIReachesJobs() throws {
        var settings = Settings(database: "/nonexistent/queue.db")
        var model = ModelSettings()
        model.batchAPI = true
        settings.models = ["openai/gpt-5": model, "claude-code/sonnet": model]
        let context = settings.intakeContext(now: 0)
        func usesBatchAPI(_ model: String) throws -> Bool {
            var draft = JobDraft()
            draft.prompt = "x"
            draft.model = model
            return try draft.validated(in: context).usesBatchAPI
        }
        #expect(try usesBatchAPI("openai/gpt-5"))
        #expect(try !usesBatchAPI("openai/gpt-4o"))
        #expect(try !usesBatchAPI("claude-code/sonnet"))
    }
}
