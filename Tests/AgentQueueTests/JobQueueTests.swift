import AgentQueue
import AgentQueueTestSupport
import Foundation
import Synchronization
import Testing

/// The queue as a program that embeds it uses it: nothing but `import AgentQueue`.
@Suite(.timeLimit(.minutes(2))) struct JobQueueTests {
    /// Answers by the prompt's first word; embeds by counting letters.
    private struct Scripted: ModelProvider {
        let name = "own"

        func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
            requests.map { request in
                if request.kind == .embed {
                    return .reply(ModelReply(vectors: request.texts.map { text in Self.letters.map { Self.count($0, text) } }))
                }
                let prompt = request.prompt ?? ""
                if prompt.hasPrefix("fail") { return .failure(ModelFailure(.permanent, "it was told to fail")) }
                if prompt.hasPrefix("json") { return .reply(ModelReply(#"{"city": "Lisbon", "people": 545000}"#)) }
                for piece in ["re: ", prompt] { options.onText?(piece) }
                return .reply(ModelReply("re: \(prompt)", usage: Usage(inputTokens: 2, outputTokens: 3), cost: 0.5))
            }
        }

        private static let letters = Array("abcdefgh")
        private static func count(_ letter: Character, _ text: String) -> Float { Float(text.count { $0 == letter }) + 0.125 }
    }

    /// Refuses its first call for a moment, loses the answer of its second, and then answers.
    private final class Unsteady: ModelProvider {
        let name = "own"
        private let calls = Mutex(0)

        func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            guard call <= 2 else { return requests.map { _ in .reply(ModelReply("at last", cost: 0.5)) } }
            var failure = ModelFailure(call == 1 ? .rateLimited : .retryable, "not now")
            failure.wait = .milliseconds(20)
            if call == 1 { failure.scope = .provider } else { failure.isMaybePaid = true }
            return requests.map { _ in .failure(failure) }
        }
    }

    private struct Place: Codable, Equatable {
        var city: String
        var people: Int
    }

    private func withQueue(_ body: @escaping @Sendable (JobQueue) async throws -> Void) async throws {
        let folder = try Folder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let queue = try JobQueue(
            database: "\(folder)/queue.db", settings: ["default_model": "own/m", "memory.embedding_model": "own/e"],
            providers: [Scripted()], environment: [:])
        let worker = Task { try await queue.work() }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await within(.seconds(60), "the test ends") { try await body(queue) }) } catch {
            outcome = .failure(error)
        }
        worker.cancel()
        try await worker.value
        try await queue.close()
        try outcome.get()
    }

    @Test func `the file is where its path says`() async throws {
        let folder = try Folder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await JobQueue(database: "\(folder)/queue.db", environment: [:]).close()
        #expect(FileManager.default.fileExists(atPath: "\(folder)/queue.db"))
    }

    @Test func `answers are texts or values, and a failure is an error`() async throws {
        try await withQueue { queue in
            let plain = try await queue.enqueue("hello")
            #expect(try await queue.answer(to: plain.id) == "re: hello")
            #expect(try await queue.value(of: plain.id, as: String.self) == "re: hello")
            let typed = try await queue.enqueue("json please")
            #expect(try await queue.value(of: typed.id) == Place(city: "Lisbon", people: 545_000))
            let failed = try await queue.enqueue("fail now")
            let error = await #expect(throws: JobFailed.self) { try await queue.answer(to: failed.id) }
            #expect(error?.job.state == .discarded && error?.description == "job \(failed.id) failed: it was told to fail")
            #expect(try queue.job(failed.id)?.errors.map(\.failure) == [.permanent])
            #expect(try queue.jobs(JobFilter(states: [.completed])).map(\.id) == [typed.id, plain.id])
            let job = try #require(try queue.job(plain.id))
            #expect(abs(job.created.timeIntervalSinceNow) < 120)
            #expect(try #require(job.finished) >= job.created)
            #expect(try queue.job(4_711) == nil)
        }
    }

    @Test func `a provider of the program's own says when to try again, and what was lost`() async throws {
        let folder = try Folder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let queue = try JobQueue(
            database: "\(folder)/queue.db", settings: ["default_model": "own/m"], providers: [Unsteady()], environment: [:])
        let id = try await queue.enqueue("Are you there?").id
        try await within(.seconds(60), "the worker ends") { try await queue.work(stopsWhenEmpty: true) }
        let job = try #require(try queue.job(id))
        #expect(job.result?.text == "at last")
        // The rate limit cost no attempt.
        #expect(job.errors.map(\.failure) == [.rateLimited, .retryable] && job.errors.map(\.attempt) == [1, 1])
        try await queue.close()
    }

    @Test func `a text comes piece by piece`() async throws {
        try await withQueue { queue in
            var draft = JobDraft()
            draft.prompt = "tell me"
            draft.isStreamed = true
            let id = try await queue.enqueue(draft).id
            var text = ""
            for try await part in queue.text(of: id) {
                switch part {
                case .piece(let piece): text += piece
                case .restart: text = ""
                }
            }
            #expect(text == "re: tell me")
            let failed = try await queue.enqueue("fail").id
            await #expect(throws: JobFailed.self) { for try await _ in queue.text(of: failed) {} }
        }
    }

    @Test func `many jobs are added at once, followed as a batch, cancelled and retried`() async throws {
        try await withQueue { queue in
            let drafts = (1...20).map { number in
                var draft = JobDraft()
                draft.prompt = "question \(number)"
                draft.batch = "twenty"
                return draft
            }
            let added = try await queue.enqueue(drafts)
            #expect(added.count == 20)
            var last: BatchProgress?
            for try await progress in queue.progress(ofBatch: "twenty") { last = progress }
            #expect(last == (try queue.batch("twenty")) && last?.completed == 20)
            let ended = try await queue.finish(batch: "twenty")
            #expect(ended.isDone)
            var bad = drafts
            bad[7].prompt = " "
            await #expect(throws: InputError.self) { try await queue.enqueue(bad) }
            #expect(try queue.batch("twenty")?.jobs == 20)

            var later = JobDraft()
            later.prompt = "later"
            later.delay = .seconds(3_600)
            let id = try await queue.enqueue(later).id
            #expect(try await queue.cancel(id).map(\.result) == [.changed(.cancelled)])
            #expect(try await queue.retry(id).map(\.id) == [id])
            #expect(try await queue.answer(to: id) == "re: later")
            #expect(try await queue.delete(where: JobFilter(batch: "twenty")) == 20)
            let statistics = try queue.statistics()
            #expect(statistics.jobs[.completed] == 1 && statistics.workers == 1 && statistics.cost ?? 0 > 10)
            #expect(statistics.usage.outputTokens == 63)
        }
    }

    @Test func `jobs of a file are added once, however often it is given`() async throws {
        try await withQueue { queue in
            let file = FileManager.default.temporaryDirectory.appending(path: "facade-\(UUID().uuidString).jsonl")
            defer { try? FileManager.default.removeItem(at: file) }
            try (1...30).map { #"{"prompt": "line \#($0)"}"# }.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
            let lines = Recorder<Int>()
            #expect(try await queue.enqueue(contentsOf: file.path, named: "import", batch: "file") { done, _ in lines.add(done) } == 30)
            #expect(lines.all.last == 30)
            #expect(try await queue.enqueue(contentsOf: file.path, named: "import", batch: "file") == 0)
            #expect(try await queue.finish(batch: "file").completed == 30)
        }
    }

    @Test func `schedules are added, paused and removed`() async throws {
        try await withQueue { queue in
            var draft = JobDraft()
            draft.prompt = "What is new?"
            let schedule = try await queue.schedule(draft, "0 7 * * mon-fri", name: "news", timeZone: "Europe/Lisbon")
            #expect(schedule.name == "news" && schedule.timeZone == "Europe/Lisbon")
            #expect(try #require(schedule.next) > Date.now)
            #expect(try queue.schedules() == [schedule])
            #expect(try await queue.pause(schedule: schedule.id))
            #expect(try queue.schedules().first?.paused != nil)
            #expect(try await queue.resume(schedule: schedule.id))
            #expect(try queue.schedules().first?.paused == nil)
            #expect(try await queue.remove(schedule: schedule.id))
            await #expect(throws: InputError.self) { try await queue.schedule(draft, "every morning") }
            await #expect(throws: InputError.self) { try await queue.schedule(draft, "@daily", timeZone: "Nowhere/City") }
        }
    }

    @Test func `texts are remembered, recalled and forgotten`() async throws {
        try await withQueue { queue in
            let first = try await queue.remember("a cabbage", in: "garden", metadata: ["row": 1])
            let second = try await queue.remember("a fig, a hedge", in: "garden", metadata: ["row": 2])
            #expect(try await queue.recall("a cabbage", in: "garden").map(\.memory.id) == [first, second])
            #expect(try await queue.recall("a cabbage", in: "garden", where: "row == 2").map(\.memory.id) == [second])
            #expect(try queue.memory(first)?.text == "a cabbage")
            #expect(try queue.memories(in: "garden").map(\.id) == [second, first])
            #expect(try queue.namespaces() == ["garden"])
            #expect(try await queue.forget(first) == 1)
            #expect(try await queue.forget(namespace: "garden") == 1)
            await #expect(throws: InputError.self) { try await queue.recall("x", in: "garden", where: "row ==") }
        }
    }

    @Test func `pipelines written in Swift need no other import`() async throws {
        try await withQueue { queue in
            let pipeline = try Pipeline("two", inputs: [PipelineInput("text")]) {
                Step("first", prompt: "one {{inputs.text}}")
                Step("second", prompt: "two {{first}}")
            }
            let run = try await queue.start(pipeline, inputs: ["text": "tides"]).id
            let ended = try await queue.finish(run: run)
            #expect(ended.summary.state == .completed)
            #expect(try queue.output(of: run, as: String.self) == "re: two re: one tides")
            #expect(try queue.runs(name: "two").map(\.id) == [run])
        }
    }

    @Test func `a setting that is wrong is said before the database is opened`() {
        #expect(throws: InputError.self) { try JobQueue(database: "/nowhere/queue.db", settings: ["worker.concurency": "8"]) }
        #expect(throws: InputError.self) { try JobQueue(database: "/nowhere/queue.db", settings: ["worker.concurrency": "none"]) }
    }

    /// Where to look for a key is a matter of the configuration; that it is looked for in the process is the default.
    @Test func `keys are found in the environment`() async throws {
        try await ScriptedServer.withServer(
            Script { request in
                #expect(request["authorization"] == "Bearer sk-test")
                return ScriptedAnswer(json: #"{"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}"#)
            }
        ) { server in
            let folder = FileManager.default.temporaryDirectory.appending(path: "agent-queue-key-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let file = folder.appending(path: "agent-queue.yaml")
            try """
            database: queue.db
            default_model: cloud/m
            providers:
              cloud: { kind: openai, base_url: "\(server.url)/v1", api_key_env: FACADE_KEY }
            """.write(to: file, atomically: true, encoding: .utf8)
            let queue = try JobQueue(configuration: file.path, environment: ["FACADE_KEY": "sk-test", "HOME": folder.path])
            let id = try await queue.enqueue("Are you there?").id
            try await within(.seconds(60), "the worker ends") { try await queue.work(stopsWhenEmpty: true) }
            #expect(try queue.job(id)?.result?.text == "yes")
            try await queue.close()
        }
    }
}
