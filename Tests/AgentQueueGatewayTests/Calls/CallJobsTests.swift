import AgentQueue
import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings
import Testing

@testable import AgentQueueGateway

@Suite struct CallJobsTests {
    private let settings = Settings(database: "queue.db")
    private let target = Target(provider: "local", model: "m")

    private func jobs(
        _ body: String, form: RequestForm = .chat, target spoken: RequestForm? = .chat, _ headers: CallHeaders = CallHeaders()
    ) throws -> [NewJob] {
        let request = try ClientRequest(form: form, body: Array(body.utf8), unsupported: .refuse, target: spoken)
        let key = CallPolicy.KeyRules(id: 1, queue: "api.me")
        return try CallJobs(context: settings.intakeContext(now: 0)).jobs(
            of: request, for: target, CallPolicy(headers, key, settings.serve, serviceTier: request.serviceTier), headers,
            isFollowed: false)
    }

    private let plain = #"{"model":"x","messages":[{"role":"user","content":"Hi"}]}"#

    @Test func aCanonicalRequestSharesTheDigestOfTheQueue() throws {
        var draft = JobDraft()
        draft.prompt = "Hi"
        draft.model = "local/m"
        let job = try #require(try jobs(plain).first)
        #expect(job.digest == (try draft.validated(in: settings.intakeContext(now: 0)).digest))
        #expect(job.queue == "api.me" && !job.useCache && job.priority == 5)
        #expect(job.native?.body == plain)
    }

    @Test func severalAnswersAreJobsOfSeveralSamples() throws {
        var headers = CallHeaders()
        headers.sample = 1
        let three = try jobs(#"{"model":"x","n":3,"messages":[{"role":"user","content":"Hi"}]}"#, headers)
        #expect(Set(three.map(\.digest)).count == 3)
        #expect(try three.first?.digest == jobs(plain, headers).first?.digest)
    }

    @Test func anAnswerThatIsAskedForAnewIsKeptAsLongAsOthers() throws {
        var headers = CallHeaders()
        headers.cache = .renew(timeToLive: nil)
        let job = try #require(try jobs(plain, headers).first)
        #expect(!job.useCache && job.cacheTimeToLive == settings.cache.ttl.milliseconds && job.maxCacheAge == nil)
        headers.cache = .off
        #expect(try jobs(plain, headers).first?.cacheTimeToLive == nil)
    }

    @Test func anOwnScopeHasADigestForEachKey() throws {
        var serve = settings.serve
        serve.cacheScope = .own
        let request = try ClientRequest(form: .chat, body: Array(plain.utf8), unsupported: .refuse, target: .chat)
        let digests = try [Int64(1), 2, 2].map { key in
            let policy = CallPolicy(CallHeaders(), CallPolicy.KeyRules(id: key, queue: "q"), serve)
            return try CallJobs(context: settings.intakeContext(now: 0)).jobs(
                of: request, for: target, policy, CallHeaders(), isFollowed: false
            ).first?.digest
        }
        let shared = try jobs(plain).first?.digest
        #expect(digests[1] == digests[2] && Set(digests + [shared]).count == 3)
    }

    @Test func metadataBecomesTags() throws {
        var headers = CallHeaders()
        headers.tags = ["a"]
        let body = #"{"model":"x","metadata":{"team":"red"},"service_tier":"flex","messages":[{"role":"user","content":"Hi"}]}"#
        let job = try #require(try jobs(body, headers).first)
        #expect(job.tags == ["a", "team:red"])
        #expect(job.priority == 7)
    }

    @Test func anUnconfiguredProviderIsAnUnknownModel() throws {
        let request = try ClientRequest(form: .chat, body: Array(plain.utf8), unsupported: .refuse, target: nil)
        let policy = CallPolicy(CallHeaders(), CallPolicy.KeyRules(id: 0, queue: "api.me"), settings.serve)
        #expect {
            try CallJobs(context: settings.intakeContext(now: 0)).jobs(
                of: request, for: Target(provider: "nobody", model: "m"), policy, CallHeaders(), isFollowed: false)
        } throws: {
            ($0 as? RequestError)?.status == 404
        }
    }
}
