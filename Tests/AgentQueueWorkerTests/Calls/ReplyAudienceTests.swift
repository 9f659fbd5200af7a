import AgentQueueModel
import AgentQueueTestSupport
import Synchronization
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// Those in the process who wait for answers hear each piece and each end.
@Suite struct ReplyAudienceTests {
    private static let begin = ReplyEvent.begin(model: nil, id: nil, native: nil)

    private func job(
        _ prompt: String, _ members: [JSONValue.Member] = [], native: NativeRequest? = nil
    ) -> NewJob {
        let messages = JSONValue.Member("messages", [["role": "user", "content": .string(prompt)]])
        let request = ModelRequest(
            kind: .generate, target: Target(provider: "local", model: "m"), body: .object([messages] + members))
        let (body, digest) = request.sealed(identity: "scripted")
        var job = NewJob(kind: .generate, target: request.target, body: body, digest: digest)
        job.native = native
        return job
    }

    private static func drains(_ configuration: inout WorkerConfiguration) { configuration.drains = true }

    private static func drainsAndTriesAgainSoon(_ configuration: inout WorkerConfiguration) {
        drains(&configuration)
        configuration.backoff = Backoff(base: 1, cap: 1, floor: 1)
    }

    private func talking(_ reply: @escaping @Sendable (ModelRequest) -> Outcome) -> ScriptedProvider {
        ScriptedProvider.talking({ requests, _ in requests.map { _ in .reply(ModelReply("")) } }, reply: reply)
    }

    @Test func aFollowersEndIsToldWithItsLeaders() async throws {
        try await withBench(talking { _ in .reply(ModelReply("so it is")) }, Self.drains) { b in
            let ids = try await b.store.jobs.enqueue([job("why?"), job("why?")]).map(\.id)
            let audience = Audience()
            try await b.worker(audience: audience).run()
            #expect(Set(audience.ends) == Set(ids.map { JobEnd(job: $0, state: .completed) }) && audience.ends.count == 2)
            #expect(b.provider.asked.count == 1)
            #expect(audience.heard.values.map(\.self) == [[Self.begin, .text("so it is")]])
        }
    }

    @Test func aFurtherAttemptBeginsAnewAndTheWaitBeforeItIsTold() async throws {
        let attempts = Mutex(0)
        let provider = talking { _ in
            let attempt = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            return attempt == 1 ? .failure(ModelFailure(.retryable, "it broke")) : .reply(ModelReply("at last"))
        }
        try await withBench(provider, Self.drainsAndTriesAgainSoon) { b in
            let id = try await b.store.jobs.enqueue(job("why?")).id
            let audience = Audience()
            let worker = b.worker(audience: audience)
            async let running: Void = worker.run()
            // What waits is made ready by maintenance, which runs elsewhere.
            await audience.waitUntil { $0.contains(JobEnd(job: id, state: .retryable)) }
            try await b.nextDay()
            try await running
            #expect(audience.ends == [JobEnd(job: id, state: .retryable), JobEnd(job: id, state: .completed)])
            #expect(audience.asked == [id, id])
        }
    }

    @Test func aTextThatMayNotFitItsSchemaIsNotToldPieceByPiece() async throws {
        let format: JSONValue = ["type": "json_schema", "json_schema": ["name": "n", "schema": ["type": "integer"]]]
        try await withBench(talking { _ in .reply(ModelReply("7")) }, Self.drains) { b in
            let id = try await b.store.jobs.enqueue(job("how many?", [.init("response_format", format)])).id
            let audience = Audience()
            try await b.worker(audience: audience).run()
            #expect(audience.ends == [JobEnd(job: id, state: .completed)] && audience.asked.isEmpty)
        }
    }

    @Test func aJobCancelledBeforeItsCallIsTold() async throws {
        try await withBench(talking { _ in .reply(ModelReply("never")) }, Self.drains) { b in
            let audience = Audience()
            let worker = b.worker(audience: audience)
            let id = try await b.store.jobs.enqueue(job("why?")).id
            _ = try await b.store.jobs.cancel(ids: [id])
            #expect(audience.ends == [JobEnd(job: id, state: .cancelled)])
            try await worker.run()
        }
    }

    @Test func aRequestThatNeedsItsFormIsNotAskedOfAProviderThatDoesNotSpeakIt() async throws {
        let native = NativeRequest(form: .messages, body: #"{"messages":[]}"#, isRequired: true)
        try await withBench(talking { _ in .reply(ModelReply("never")) }) { b in
            let id = try await b.store.jobs.enqueue(job("why?", native: native)).id
            var claimed = try await b.claim()
            claimed[0].native = native
            for job in claimed { await b.run([job]) }
            let error = try #require(try b.store.jobs.get(id)?.errors.first)
            #expect(error.message == "the request needs a provider of the messages form, which 'local' does not speak")
            #expect(try b.states([id]) == [.discarded] && b.provider.asked.isEmpty)
        }
    }

    @Test func anAdditionIsSentInsteadOfWhatTheClientWrote() throws {
        var request = ModelRequest(
            kind: .generate, target: Target(provider: "local", model: "m"), body: ["messages": [["role": "user", "content": "hi"]]])
        request.native = NativeRequest(form: .chat, body: "{}")
        #expect(request.native(for: .chat) != nil && request.native(for: .messages) == nil)
        request.limitOutput(to: 10)
        #expect(request.native(for: .chat) == nil && request.native != nil)
        request.native?.isRequired = true
        #expect(request.native(for: .chat) != nil)
    }

    @Test func theNativeAnswerIsStoredAndNotPrinted() async throws {
        let native = NativeReply(form: .chat, body: #"{"choices":[],"x":1.0}"#)
        let provider = talking { _ in
            var reply = ModelReply("so it is")
            reply.native = native
            return .reply(reply)
        }
        try await withBench(provider, Self.drains) { b in
            let id = try await b.store.jobs.enqueue(job("why?")).id
            try await b.worker().run()
            let result = try #require(try b.store.jobs.get(id)?.result)
            #expect(result.native == native && result.reply[NativeReply.member] == nil)
            #expect(ModelReply(result).native == native && ModelReply(result).text == "so it is")
        }
    }

    @Test func anErrorAnswerIsStoredWithItsStatus() async throws {
        let provider = talking { _ in
            var failure = ModelFailure(.permanent, "it refused")
            failure.answer = ErrorAnswer(status: 418, form: .messages, body: #"{"type":"error"}"#)
            return .failure(failure)
        }
        try await withBench(provider, Self.drains) { b in
            _ = try await b.store.jobs.enqueue(job("why?"))
            try await b.worker().run()
            let row = try b.store.read { reader in
                try reader.statement("SELECT status, form, body FROM job_errors").first { "\($0.int(0)) \($0.text(1)) \($0.text(2))" }
            }
            #expect(row == #"418 messages {"type":"error"}"#)
        }
    }
}

/// Keeps what it was told.
private final class Audience: ReplyAudience {
    private struct State {
        var ends: [JobEnd] = []
        var asked: [Int64] = []
        var heard: [Int64: [ReplyEvent]] = [:]
        var calls: [String] = []
    }

    private let state = Mutex(State())
    private let news = WakeSignal()

    var ends: [JobEnd] { state.withLock { $0.ends } }
    var asked: [Int64] { state.withLock { $0.asked } }
    var calls: [String] { state.withLock { $0.calls } }
    var heard: [Int64: [ReplyEvent]] { state.withLock { $0.heard } }

    func listener(for job: Int64) -> (@Sendable (ReplyEvent) -> Void)? {
        state.withLock { $0.asked.append(job) }
        return { [self] event in state.withLock { $0.heard[job, default: []].append(event) } }
    }

    func called(_ target: Target, for jobs: [Int64], took duration: Duration) {
        state.withLock { $0.calls.append("\(target) \(jobs) \(duration > .zero)") }
    }

    func ended(_ job: Int64, _ jobState: JobState) {
        state.withLock { $0.ends.append(JobEnd(job: job, state: jobState)) }
        news.call()
    }

    func waitUntil(_ isTrue: ([JobEnd]) -> Bool) async {
        for await _ in news.stream where isTrue(ends) { return }
    }
}
