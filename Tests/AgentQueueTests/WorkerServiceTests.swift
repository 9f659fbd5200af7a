import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Logging
import Testing

@testable import AgentQueue

/// What a worker in a program's own process does beside running jobs: all that an `agent-worker` does.
@Suite(.timeLimit(.minutes(2))) struct WorkerServiceTests {
    /// Answers with the prompt itself, and keeps batches that end at once.
    private actor Echo: BatchProvider {
        nonisolated let name = "echo"
        nonisolated let identity = "echo"
        nonisolated let capabilities = ProviderCapabilities()
        nonisolated let batchCapacity = BatchCapacity(items: 100, bytes: 1 << 20)
        private(set) var batches: [[BatchItem]] = []
        private(set) var calls = 0
        private(set) var hasShutDown = false

        nonisolated func batchSize(of item: BatchItem) -> Result<Int, ModelFailure> { .success(100) }

        func respond(to requests: [ModelRequest], _ options: CallOptions) async -> [Outcome] {
            calls += 1
            return requests.map(Self.answer)
        }

        func submitBatch(_ items: [BatchItem], label: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
            batches.append(items)
            return .success(RemoteBatch(id: "\(batches.count)", status: .ended, count: items.count, createdAt: 0))
        }

        func findBatches(label: String, count: Int, since: Int64, timeout: Int64) async -> Result<[RemoteBatch], ModelFailure> {
            .success([])
        }

        func batch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> {
            .success(RemoteBatch(id: id, status: .ended, count: batches.last?.count, createdAt: 0))
        }

        func cancelBatch(_ id: String, timeout: Int64) async -> Result<RemoteBatch, ModelFailure> { await batch(id, timeout: timeout) }

        func readResults(
            of batch: RemoteBatch, kind: JobKind, timeout: Int64, _ take: @Sendable ([BatchItemResult]) async throws -> Void
        ) async throws -> ModelFailure? {
            try await take((batches.last ?? []).map { BatchItemResult(id: $0.id, outcome: Self.answer($0.request)) })
            return nil
        }

        func forgetBatch(_ batch: RemoteBatch, timeout: Int64) async {}

        func check(model: String?, timeout: Int64) async -> ProviderCheck { ProviderCheck(provider: name, model: model ?? "m") }

        func shutdown() async { hasShutDown = true }

        private static func answer(_ request: ModelRequest) -> Outcome {
            let prompt = request.body["messages"]?.array?.last?["content"]?.string ?? ""
            return .reply(ModelReply(text: "re: \(prompt)", finishReason: "stop"))
        }
    }

    /// A queue with a provider of its own, and its worker.
    private func withWorker(
        _ configure: (inout Settings, _ folder: String) -> Void = { _, _ in },
        _ body: @escaping (JobQueue, Echo, _ folder: String) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            var settings = Settings(database: "\(folder)/queue.db")
            settings.defaultModel = "echo/m"
            configure(&settings, folder)
            let echo = Echo()
            let queue = try JobQueue(settings, environment: ["PATH": "/usr/bin:/bin"], own: [echo])
            defer { queue.store.close() }
            let worker = Task { try await queue.work(logger: .silent) }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(queue, echo, folder)) } catch { outcome = .failure(error) }
            worker.cancel()
            // To be cancelled is no failure.
            try await worker.value
            try outcome.get()
            #expect(try queue.store.maintenance.check().faults == [])
        }
    }

    @Test func `a provider of the program's own answers, and is left for the program to end`() async throws {
        try await withWorker { queue, echo, _ in
            let id = try await queue.enqueue("Good morning").id
            let job = try await within(.seconds(60), "the job ends") { try await queue.finish(id) }
            #expect(job.result?.text == "re: Good morning")
            #expect(job.target.description == "echo/m")
            #expect(await echo.calls == 1)
            #expect(await !echo.hasShutDown)
        }
    }

    @Test func `schedules are fired`() async throws {
        try await withWorker { queue, _, _ in
            var draft = JobDraft()
            draft.prompt = "What is new?"
            let schedule = try await queue.store.schedules.add(
                NewSchedule(
                    name: "news", cron: "* * * * *", timeZone: "UTC", missed: .skip, most: 100, work: ScheduledWork.job(draft).text,
                    nextAt: queue.store.clock.wall()))
            try await until("the schedule has fired", within: .seconds(60)) {
                try queue.store.schedules.get(schedule.id)?.lastJob != nil
            }
            let id = try #require(try queue.store.schedules.get(schedule.id)?.lastJob)
            let job = try await within(.seconds(60), "the job ends") { try await queue.finish(id) }
            #expect(job.result?.text == "re: What is new?")
        }
    }

    @Test func `who asked to be told of a job's end is told`() async throws {
        try await withWorker { settings, folder in
            var notification = NotificationSettings()
            notification.command = "cat > '\(folder)/told'"
            settings.notifications["tell"] = notification
        } _: { queue, _, folder in
            var draft = JobDraft()
            draft.prompt = "Hello"
            draft.onFinish = ["tell"]
            let id = try await queue.enqueue(draft).id
            let told: @Sendable () -> JSONValue? = { try? JSONValue.parse(try read("\(folder)/told")) }
            try await until("the command has run", within: .seconds(60)) { told()?["id"] != nil }
            #expect(told()?["id"]?.int == Int(id))
            #expect(told()?["state"]?.string == "completed")
            try await until("the notification is settled", within: .seconds(60)) {
                try queue.store.notifications.list(limit: 10).map(\.state) == [.delivered]
            }
        }
    }

    @Test func `batches of a provider are sent and read`() async throws {
        try await withWorker { settings, _ in
            var batched = ProviderSettings(kind: .openai)
            batched.batch.linger = .milliseconds(50)
            batched.batch.poll = .milliseconds(50)
            settings.providers["echo"] = batched
        } _: { queue, echo, _ in
            var ids: [Int64] = []
            for number in 1...3 {
                var draft = JobDraft()
                draft.prompt = "Question \(number)"
                draft.batchAPI = true
                ids.append(try await queue.enqueue(draft).id)
            }
            for (index, id) in ids.enumerated() {
                let job = try await within(.seconds(60), "job \(id) ends") { try await queue.finish(id) }
                #expect(job.result?.text == "re: Question \(index + 1)")
            }
            #expect(await echo.calls == 0)
            #expect(await echo.batches.flatMap(\.self).count == 3)
        }
    }

    @Test func `a worker that stops when its queues are empty delivers the last notifications`() async throws {
        try await withFolder { folder in
            var settings = Settings(database: "\(folder)/queue.db")
            settings.defaultModel = "echo/m"
            var notification = NotificationSettings()
            notification.command = "cat >> '\(folder)/told'"
            settings.notifications["tell"] = notification
            let queue = try JobQueue(settings, environment: ["PATH": "/usr/bin:/bin"], own: [Echo()])
            defer { queue.store.close() }
            var draft = JobDraft()
            draft.prompt = "Hello"
            draft.onFinish = ["tell"]
            let id = try await queue.enqueue(draft).id
            try await within(.seconds(60), "the worker ends by itself") { try await queue.work(stopsWhenEmpty: true, logger: .silent) }
            #expect(try queue.store.jobs.get(id)?.state == .completed)
            #expect(try JSONValue.parse(try read("\(folder)/told"))["id"]?.int == Int(id))
        }
    }
}
