import AgentQueueModel
import AgentQueueSettings
import Testing

@testable import AgentQueue

/// `cache_ttl`, `batch_api` and `deadline`: how a job's answer is come by, and kept.
@Suite struct CallOptionTests {
    private static let kinds: [String: ProviderKind] = ["anthropic": .anthropic, "claude-code": .claudeCode]

    /// A world in which jobs for a model named `batched` use the batch API without saying so.
    private static let world: IntakeContext = {
        let providers = ["local", "openai", "local-embeddings", "anthropic", "claude-code", "own"]
        return IntakeContext(
            now: now, defaultTarget: Target(provider: "local", model: "m"),
            defaultEmbeddingTarget: Target(provider: "local-embeddings", model: "e"), providerNames: providers,
            identity: { providers.contains($0) ? $0 : nil }, kind: { $0 == "own" ? nil : kinds[$0] ?? .openai },
            usesBatchAPI: { $0.model == "batched" })
    }()

    private static func job(_ line: String, _ change: (inout JobDraft) -> Void = { _ in }) throws -> NewJob {
        var defaults = JobDraft()
        change(&defaults)
        return try outcome(line, defaults, world).get()
    }

    private static func refusal(_ line: String, _ change: (inout JobDraft) -> Void = { _ in }) -> String? {
        var defaults = JobDraft()
        change(&defaults)
        if case .failure(let error) = outcome(line, defaults, world) { return error.message }
        return nil
    }

    @Test func aJobSaysNothingOfItAtFirst() throws {
        let job = try Self.job(#"{"prompt":"x"}"#)
        #expect((job.cacheTimeToLive, job.usesBatchAPI, job.deadline, job.inputs) == (nil, false, nil, 1))
        // What a line sets to null it does not say.
        #expect(try Self.job(#"{"prompt":"x","cache_ttl":null,"batch_api":null,"deadline":null}"#) == job)
    }

    @Test func everythingArrives() throws {
        let job = try Self.job(#"{"prompt":"x","cache_ttl":"1h","batch_api":true,"deadline":"6h"}"#)
        #expect((job.cacheTimeToLive, job.usesBatchAPI, job.deadline) == (3_600_000, true, now + 21_600_000))
        #expect(try Self.job(#"{"prompt":"x","cache_ttl":90,"batch_api":true,"deadline":0.5}"#).deadline == now + 500)
        #expect(try Self.job(#"{"prompt":"x","cache_ttl":90}"#).cacheTimeToLive == 90_000)
    }

    @Test func noneOfItChangesTheRequest() throws {
        let plain = try Self.job(#"{"prompt":"x"}"#)
        let other = try Self.job(#"{"prompt":"x","cache_ttl":"1h","batch_api":true,"deadline":"6h"}"#)
        #expect((other.body, other.digest) == (plain.body, plain.digest))
    }

    @Test func anEmbedJobCountsItsTexts() throws {
        #expect(try Self.job(#"{"kind":"embed","input":["a","b","a"]}"#).inputs == 3)
        #expect(try Self.job(#"{"kind":"embed","input":"a"}"#).inputs == 1)
    }

    @Test func theConfigurationDecidesForJobsThatDoNotSay() throws {
        #expect(try Self.job(#"{"prompt":"x","model":"openai/batched"}"#).usesBatchAPI)
        #expect(try Self.job(#"{"prompt":"x","model":"openai/batched","deadline":"1h"}"#).deadline == now + 3_600_000)
        #expect(try !Self.job(#"{"prompt":"x","model":"openai/batched","batch_api":false}"#).usesBatchAPI)
        #expect(try !Self.job(#"{"prompt":"x","model":"openai/other"}"#).usesBatchAPI)
        // What cannot be sent in a batch is called for alone, as nobody asked for the batch.
        #expect(try !Self.job(#"{"kind":"embed","input":"x","model":"anthropic/batched"}"#).usesBatchAPI)
        #expect(try !Self.job(#"{"prompt":"x","model":"claude-code/batched"}"#).usesBatchAPI)
        var streamed = JobDraft()
        (streamed.prompt, streamed.model, streamed.isStreamed) = ("x", "openai/batched", true)
        #expect(try !outcome(of: streamed, Self.world).get().usesBatchAPI)
    }

    @Test func aProgramsOwnProviderHasNoBatchAPI() throws {
        #expect(Self.refusal(#"{"prompt":"x","model":"own/m","batch_api":true}"#) == "provider 'own' has no batch API")
        #expect(try !Self.job(#"{"prompt":"x","model":"own/batched"}"#).usesBatchAPI)
    }

    @Test func linesOfBatchFilesAreOnlyAFormOfInput() throws {
        let openAI = #"{"custom_id":"c","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"x"}]}}"#
        let anthropic = #"{"custom_id":"c","params":{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}}"#
        for line in [openAI, anthropic] {
            #expect(try !Self.job(line).usesBatchAPI)
            let job = try Self.job(line) { ($0.batchAPI, $0.cacheTTL, $0.deadline) = (true, .seconds(1), .seconds(5)) }
            #expect((job.usesBatchAPI, job.cacheTimeToLive, job.deadline) == (true, 1_000, now + 5_000))
        }
    }

    @Test func optionsGiveWayToWhatALineSays() throws {
        func change(_ defaults: inout JobDraft) {
            (defaults.batchAPI, defaults.cacheTTL, defaults.deadline) = (true, .seconds(1), .seconds(5))
        }
        let silent = try Self.job(#"{"prompt":"x"}"#, change)
        #expect((silent.usesBatchAPI, silent.cacheTimeToLive, silent.deadline) == (true, 1_000, now + 5_000))
        let own = try Self.job(#"{"prompt":"x","batch_api":false,"cache":false}"#, change)
        #expect((own.usesBatchAPI, own.cacheTimeToLive, own.deadline, own.useCache) == (false, nil, nil, false))
        #expect(try Self.job(#"{"prompt":"x","cache_ttl":"1m","deadline":9}"#, change).deadline == now + 9_000)
    }

    @Test(arguments: [
        (#"{"prompt":"x","cache_ttl":"500ms"}"#, "cache_ttl 500ms is out of range (1s to 3650d)"),
        (#"{"prompt":"x","cache_ttl":0}"#, "cache_ttl 0s is out of range (1s to 3650d)"),
        (#"{"prompt":"x","cache_ttl":"3651d"}"#, "cache_ttl 3651d is out of range (1s to 3650d)"),
        (#"{"prompt":"x","cache_ttl":true}"#, "cache_ttl must be a duration such as \"10m\", or seconds, not a truth value"),
        (#"{"prompt":"x","cache_ttl":-1}"#, "cache_ttl cannot be negative"),
        (#"{"prompt":"x","cache":false,"cache_ttl":60}"#, "cache_ttl has no meaning for a job that does not use the cache"),
        (#"{"prompt":"x","batch_api":"yes"}"#, "batch_api must be true or false, not a string"),
        (#"{"prompt":"x","batch_api":true,"model":"claude-code/sonnet"}"#, "claude-code has no batch API"),
        (#"{"kind":"embed","input":"x","batch_api":true,"model":"anthropic/m"}"#, "the batch API of anthropic takes no embed jobs"),
        (#"{"prompt":"x","deadline":"6h"}"#, "deadline is for a job that uses the batch API (batch_api)"),
        (#"{"prompt":"x","deadline":"6h","batch_api":false}"#, "deadline is for a job that uses the batch API (batch_api)"),
        (#"{"prompt":"x","deadline":"6h","model":"claude-code/batched"}"#, "deadline is for a job that uses the batch API (batch_api)"),
        (#"{"prompt":"x","batch_api":true,"deadline":0}"#, "deadline must be at least 1 ms"),
        (#"{"prompt":"x","batch_api":true,"deadline":"3661d"}"#, "deadline 3661d is too long (at most 3660d)"),
        (
            #"{"prompt":"x","batch_api":true,"deadline":"1s","delay":"2s"}"#,
            "the answer would be wanted before the job may start (deadline 1s ends at 2026-11-22T00:00:01.000Z, "
                + "its start is 2026-11-22T00:00:02.000Z)"
        ),
        (#"{"prompt":"x","batch_ap":true}"#, "unknown key 'batch_ap' (did you mean 'batch_api'?)"),
    ])
    func refuses(_ line: String, _ message: String) {
        #expect(Self.refusal(line) == message)
    }

    @Test func refusesWhatOnlyADraftCanAskFor() {
        var streamed = JobDraft()
        (streamed.prompt, streamed.batchAPI, streamed.isStreamed) = ("x", true, true)
        guard case .failure(let error) = outcome(of: streamed, Self.world) else {
            Issue.record("accepted")
            return
        }
        #expect(error.message == "a job of a batch is answered all at once, so stream and batch_api cannot both be given")
        #expect(error.kind == .usage)
        var endless = JobDraft()
        (endless.prompt, endless.batchAPI, endless.deadline) = ("x", true, .milliseconds(Int64.max))
        guard case .failure(let tooLong) = outcome(of: endless, Self.world) else {
            Issue.record("accepted")
            return
        }
        #expect(tooLong.message.contains("is too long (at most 3660d)"))
    }
}
