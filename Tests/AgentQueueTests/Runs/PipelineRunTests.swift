import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Logging
import Synchronization
import Testing

@testable import AgentQueue

/// Pipelines carried out by a worker, as a program runs one.
@Suite(.timeLimit(.minutes(2))) struct PipelineRunTests {
    /// A chat server that says what a test wants.
    private final class Model: Sendable {
        private let refused = Mutex<Set<String>>([])
        private let prompts = Mutex<[String]>([])
        var asked: [String] { prompts.withLock(\.self) }

        func refuse(_ words: Set<String>) { refused.withLock { $0 = words } }

        var script: Script {
            Script { [self] request in
                let body = (try? JSONValue.parse(request.body)) ?? .null
                let prompt = body["messages"]?.array?.last?["content"]?.string ?? ""
                prompts.withLock { $0.append(prompt) }
                let word = prompt.split(separator: " ").first.map(String.init) ?? ""
                if refused.withLock({ $0.contains(word) }) { return ScriptedAnswer(400, json: #"{"error": {"message": "no \#(word)"}}"#) }
                let text = word == "PLAN" ? #"{"parts": ["one", "two", "three"]}"# : "<\(prompt)>"
                let reply: JSONValue = [
                    "choices": [["index": 0, "message": ["role": "assistant", "content": .string(text)], "finish_reason": "stop"]],
                    "usage": ["prompt_tokens": 3, "completion_tokens": 2],
                ]
                return ScriptedAnswer(json: reply.text)
            }
        }
    }

    private func withQueue(_ body: @escaping (JobQueue, Model) async throws -> Void) async throws {
        try await withFolder { folder in
            let model = Model()
            try await ScriptedServer.withServer(model.script) { server in
                var settings = Settings(database: "\(folder)/queue.db")
                var provider = ProviderSettings(kind: .openai)
                provider.baseURL = server.url + "/v1"
                settings.providers = ["scripted": provider]
                settings.defaultModel = "scripted/m"
                settings.http.maxRetries = 0
                let queue = try JobQueue(settings, environment: [:])
                defer { queue.store.close() }
                let worker = Task { try await queue.work(logger: Logger.silent) }
                do { try await body(queue, model) } catch {
                    worker.cancel()
                    _ = await worker.result
                    throw error
                }
                worker.cancel()
                _ = await worker.result
                #expect(try queue.store.maintenance.check().faults == [])
            }
        }
    }

    private static let plan = """
        inputs: { task: { type: text } }
        steps:
          plan:
            prompt: "PLAN {{inputs.task}}"
            schema: { type: object, required: [parts], properties: { parts: { type: array, items: { type: string } } } }
          code: { foreach: plan.parts, prompt: "CODE {{item}} {{number}}/{{count}}" }
          sum: { prompt: "SUM {{#code}}{{.}}{{/code}}" }
        """

    private func finish(_ run: Int64, _ queue: JobQueue) async throws -> RunDetail {
        try await within(.seconds(60), "run \(run) ends") { try await queue.finish(run: run) }
    }

    private struct Plan: Decodable, Equatable { var parts: [String] }

    /// As docs/pipelines.md shows it.
    @Test func aPipelineWrittenInSwiftRunsToATypedOutput() async throws {
        let review = try Pipeline("review", inputs: [PipelineInput("text")], roles: [Role("critic", system: "You are fair.")]) {
            Step(
                "plan", role: "critic",
                schema: .inline(["type": "object", "required": ["parts"], "properties": ["parts": ["type": "array"]]]),
                prompt: "PLAN {{inputs.text}}")
            Group("rounds", repeat: Repetition(2)) {
                for name in ["first", "second"] { Step(name, prompt: "SAY \(name) of {{plan.parts}}, round {{round}}") }
            }
            Step("sum", needs: ["rounds"], foreach: Foreach("plan.parts"), prompt: "SUM {{item}}")
        }
        try await withQueue { queue, model in
            let run = try await queue.start(review, inputs: ["text": "tides"]).id
            let detail = try await finish(run, queue)
            #expect(detail.summary.state == .completed, "\(detail.summary.reason ?? "")")
            #expect(try queue.output(ofStep: "plan", in: run, as: Plan.self) == Plan(parts: ["one", "two", "three"]))
            #expect(try queue.output(of: run, as: [String].self) == ["<SUM one>", "<SUM two>", "<SUM three>"])
            #expect(model.asked.count == 8)
        }
    }

    @Test func aPipelineRunsToItsOutput() async throws {
        try await withQueue { queue, model in
            let pipeline = try Pipeline(yaml: Self.plan, path: "plan.yaml")
            let run = try await queue.start(pipeline, inputs: ["task": "a game"], options: RunOptions(tags: ["t"])).id
            let detail = try await finish(run, queue)
            #expect(detail.summary.state == .completed && detail.summary.begun == 5)
            #expect(detail.calls.map(\.record.path) == ["plan", "code[0]", "code[1]", "code[2]", "sum"])
            let expected = "<SUM <CODE one 1/3><CODE two 2/3><CODE three 3/3>>"
            #expect(try queue.output(of: run, as: String.self) == expected)
            #expect(try queue.output(ofStep: "sum", in: run, as: String.self) == expected)
            #expect(try queue.output(ofStep: "plan", in: run) == Plan(parts: ["one", "two", "three"]))
            #expect(try queue.store.jobs.list(JobFilter(tag: "t"), limit: 10).count == 5)
            #expect(model.asked.count == 5)
            // Once more: the cache answers all of it, before the start returns.
            let again = try await queue.start(pipeline, inputs: ["task": "a game"]).id
            #expect(try await finish(again, queue).output == .string(expected))
            #expect(model.asked.count == 5)
        }
    }

    @Test func aRetryDoesOnlyWhatFailed() async throws {
        try await withQueue { queue, model in
            model.refuse(["SUM"])
            let run = try await queue.start(try Pipeline(yaml: Self.plan, path: "plan.yaml"), inputs: ["task": "x"]).id
            let failed = try await finish(run, queue)
            #expect(failed.summary.state == .failed && failed.summary.failed == 1)
            #expect(failed.summary.reason?.contains("no SUM") == true, "\(failed.summary.reason ?? "")")
            let calls = model.asked.count
            model.refuse([])
            try await queue.retry(run: run)
            let detail = try await finish(run, queue)
            #expect(detail.summary.state == .completed && detail.calls.count == 5)
            #expect(model.asked.count == calls + 1)
            await #expect(throws: StoreError(.conflict, "run 1 is completed: only one that failed or was cancelled can be retried")) {
                try await queue.retry(run: run)
            }
        }
    }

    @Test func aCallThatCannotBeMadeHasFailed() async throws {
        try await withQueue { queue, model in
            let text = """
                steps:
                  lost: { model: nowhere/m, prompt: LOST, on_failure: { default: "nothing" } }
                  end: { prompt: "END {{lost}}" }
                """
            let run = try await queue.start(try Pipeline(yaml: text, path: "lost.yaml")).id
            let detail = try await finish(run, queue)
            #expect(detail.output == "<END nothing>")
            let lost = try #require(detail.calls.first { $0.record.path == "lost" })
            #expect(lost.record.jobID == nil && lost.failure?.hasPrefix("unknown provider 'nowhere'") == true, "\(lost)")
            #expect(model.asked == ["END nothing"])
        }
    }

    @Test func whatDoesNotFitIsRefusedBeforeAnythingRuns() async throws {
        try await withQueue { queue, _ in
            let pipeline = try Pipeline(yaml: Self.plan, path: "plan.yaml")
            await #expect(throws: PipelineError.self) { _ = try await queue.start(pipeline, inputs: .object([])) }
            await #expect(throws: InputError.self) {
                _ = try await queue.start(pipeline, inputs: ["task": "x"], options: RunOptions(priority: 10))
            }
            #expect(try queue.store.runs.list(limit: 10) == [])
            let first = try await queue.start(pipeline, inputs: ["task": "x"], uniqueKey: "k")
            #expect(try await queue.start(pipeline, inputs: ["task": "y"], uniqueKey: "k").duplicateOf == first.id)
            _ = try await finish(first.id, queue)
        }
    }

    @Test func aDefinitionThatCannotBeReadEndsItsRun() async throws {
        try await withQueue { queue, _ in
            let pipeline = try Pipeline(yaml: Self.plan, path: "plan.yaml")
            var run = try queue.planner.run(pipeline, inputs: ["task": "x"])
            run.definition = "{}"
            run.digest[0] ^= 1
            let id = try await queue.start(run).id
            let detail = try await finish(id, queue)
            #expect(detail.summary.state == .failed && detail.summary.reason?.hasPrefix("it could not go on") == true)
        }
    }
}
