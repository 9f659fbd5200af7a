import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import AgentQueueWorker
import Logging
import Testing

@testable import AgentQueue

/// Jobs with memories, carried out by a worker as a program runs one.
@Suite(.timeLimit(.minutes(2))) struct MemoryJobRunTests {
    private func withWorker(
        _ change: (inout Settings) -> Void = { _ in }, _ body: @escaping (JobQueue, MemoryScene) async throws -> Void
    ) async throws {
        try await MemoryScene.with { settings in
            settings.defaultModel = "scripted/chat"
            change(&settings)
        } _: { scene in
            let queue = try JobQueue(scene.settings, environment: [:])
            defer { queue.store.close() }
            let worker = Task { try await queue.work(logger: Logger.silent) }
            do { try await body(queue, scene) } catch {
                worker.cancel()
                _ = await worker.result
                throw error
            }
            worker.cancel()
            _ = await worker.result
            #expect(try scene.store.maintenance.check().faults == [])
        }
    }

    private func memorize(_ text: String, _ namespace: String = "n") -> JobDraft {
        var draft = JobDraft(kind: .memorize)
        draft.inputs = [text]
        draft.namespaces = [namespace]
        return draft
    }

    private func finish(_ id: Int64, _ queue: JobQueue) async throws -> Job {
        try await within(.seconds(60), "job \(id) ends") { try await queue.finish(id) }
    }

    /// `ENABLE_ASYNC=false` remembers one at a time.
    @Test(arguments: [true, false]) func textsAreRememberedRecalledAndTheAnswerToo(isAsync: Bool) async throws {
        try await withWorker {
            $0.enableAsync = isAsync
        } _: { queue, scene in
            var ids: [Int64] = []
            for text in ["red apples", "green pears", "old cars"] { ids.append(try await queue.enqueue(memorize(text)).id) }
            for id in ids { #expect(try await finish(id, queue).state == .completed) }
            #expect(scene.words.texts.sorted() == ["passage: green pears", "passage: old cars", "passage: red apples"])
            let answer = try await scene.memories.search([MemoryQuery(namespaces: ["n"], text: "apples")]).first
            #expect(answer?.hits.first?.memory.text == "red apples")

            var draft = JobDraft()
            draft.prompt = "which apples?"
            (draft.recall, draft.namespaces, draft.remembers) = (1, ["n"], true)
            let job = try await finish(try await queue.enqueue(draft).id, queue)
            #expect(job.result?.text == "it is so" && job.result?.reply["recalled"]?.array?.count == 1)
            let sent = try #require(scene.words.chats.first)
            #expect(sent.contains("- red apples\\n\\nwhich apples?") && !sent.contains("recall") && !sent.contains("remember"))
            let follower = try #require(job.result?.reply["next_jobs"]?.array?.first?.int)
            #expect(try await finish(Int64(follower), queue).state == .completed)
            let memory = try #require(try scene.store.memories.list(in: "n", after: 0, limit: 10).last)
            #expect(memory.text == "it is so" && memory.metadata == ["job_id": .integer(job.id)])
        }
    }

    /// A namespace is embedded again while a worker runs, and something changes after its job was added: upkeep sees to that.
    @Test func aModelIsChangedWhileAWorkerRuns() async throws {
        try await withWorker { queue, scene in
            try await scene.memories.store(["red apples", "green pears", "old cars"].map { MemoryDraft($0) }, in: "n")
            let progress = try await scene.memories.reembed("n", model: "scripted/other")
            #expect(progress.memories == 3)
            let space = try await within(.seconds(60), "the new vectors are searched") { () -> MemorySpace in
                for await _ in queue.store.changes(of: .done) {
                    let namespace = try queue.store.memories.withSnapshot { try $0.namespace(named: "n") }
                    if let space = namespace?.space, space.model.target == "scripted/other" { return space }
                }
                throw CancellationError()
            }
            #expect(space.model.passagePrefix.isEmpty)
            #expect(scene.words.texts.suffix(3).sorted() == ["green pears", "old cars", "red apples"])
        }
    }

    @Test func upkeepGoesOnWithWhatIsUnderWay() async throws {
        try await MemoryScene.with { scene in
            try await scene.memories.store([MemoryDraft("red apples")], in: "n")
            let model = VectorModel(target: "scripted/other")
            let space = try await scene.store.memories.beginSpace(in: "n", model: model, dimension: 16)
            let upkeep = Maintainer(store: scene.store, logger: Logger.silent, tidying: 5)
            let task = Task { try await upkeep.run() }
            try await within(.seconds(60), "its job is added") { () -> Void in
                for await _ in scene.store.changes(of: .work) where try scene.store.jobs.batch(named: space.batch(in: "n")) != nil {
                    return
                }
            }
            #expect(try scene.store.jobs.batch(named: space.batch(in: "n"))?.jobs == 1)
            task.cancel()
            _ = await task.result
        }
    }
}
