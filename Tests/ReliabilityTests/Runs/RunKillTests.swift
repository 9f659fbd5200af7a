import AgentQueue
import AgentQueueModel
import AgentQueuePipelines
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// Workers are killed while a run goes on: each of its calls completes once, and it comes to what it would have come to.
    @Suite struct RunKillTests {
        private static let kills = 30
        private static let parts = 40

        private static let pipeline = """
            inputs:
              topic: { type: text }
              rounds: { type: integer, default: 5 }
            steps:
              plan:
                prompt: "PLAN {{inputs.topic}}"
                max_attempts: 100
                schema:
                  type: object
                  required: [parts]
                  properties:
                    parts: { type: array, items: { type: object, required: [title], properties: { title: { type: string } } } }
              code:
                foreach: plan.parts
                prompt: "CODE {{item.title}} ({{number}} of {{count}})"
                max_attempts: 100
              refine:
                needs: [code]
                repeat: { times: inputs.rounds, until: reflect.confidence >= 0.8 }
                steps:
                  revise: { prompt: "REVISE {{round}} of {{#code}}{{.}}; {{/code}}", max_attempts: 100 }
                  reflect:
                    prompt: "REFLECT {{round}} on {{revise}}"
                    max_attempts: 100
                    schema: { type: object, required: [confidence], properties: { confidence: { type: number } } }
              title:
                ensemble: { samples: 5, combine: vote }
                prompt: "TITLE of {{refine.revise}}"
                max_attempts: 100
            output: "{{title}}: {{refine.revise}}"
            """

        /// The model: its answer follows from what it is asked.
        private static func reply(to prompt: String) -> String {
            let words = prompt.split(separator: " ")
            switch words[0] {
            case "PLAN": return #"{"parts": [\#((1...parts).map { #"{"title": "part \#($0)"}"# }.joined(separator: ", "))]}"#
            case "CODE": return "code for \(words.dropFirst().joined(separator: " "))"
            case "REVISE": return "revision \(words[1]) of \(prompt.utf8.count) bytes"
            case "REFLECT": return #"{"confidence": \#(Double(words[1])! * 0.3)}"#
            default: return "A Title"
            }
        }

        /// - Parameter last: what the last step's answers wait for: the run is not to end before it has seen all kills.
        private static func script(_ last: Gate) -> Script {
            Script { request in
                if request.prompt.hasPrefix("TITLE") { return .saying(reply(to: request.prompt), after: last) }
                let gate = Gate()
                Task {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 20...120)))
                    gate.open()
                }
                return .saying(reply(to: request.prompt), after: gate)
            }
        }

        private static let configuration = """
            worker: { concurrency: 4 }
            cache: { enabled: false }
            """

        private static func start(_ scene: Scene) async throws -> Int64 {
            let settings = try Settings.load(
                configPath: scene.folder + "/agent-queue.yaml", environment: ["HOME": scene.folder],
                currentDirectory: scene.folder, overrides: [])
            let planner = PipelinePlanner(store: scene.store, settings: settings)
            let run = try planner.run(Pipeline(yaml: pipeline, path: "storm.yaml"), inputs: ["topic": "kills"])
            return try await scene.store.runs.start(run).id
        }

        private static func finish(_ run: Int64, _ scene: Scene) async throws -> RunDetail {
            try await until("the run ends", within: .seconds(120)) { try scene.store.runs.states(of: [run])[run]?.isFinal == true }
            return try #require(try scene.store.runs.detail(run))
        }

        @Test func aRunSurvivesKills() async throws {
            var undisturbed: RunDetail?
            let (open, last) = (Gate(), Gate())
            open.open()
            try await withScene(Self.script(open), configuration: Self.configuration) { scene in
                for _ in 0..<3 { try await scene.worker() }
                let run = try await Self.start(scene)
                let detail = try await Self.finish(run, scene)
                #expect(detail.summary.state == .completed, "\(detail.summary.reason ?? "")")
                #expect(scene.server.requests.count == detail.calls.count)
                undisturbed = detail
            }
            let expected = try #require(undisturbed)
            #expect(expected.calls.count >= 50)
            try await withScene(Self.script(last), configuration: Self.configuration) { scene in
                var workers: [ChildProcess] = []
                for _ in 0..<3 { workers.append(try await scene.worker()) }
                let run = try await Self.start(scene)
                var underWay = 0
                var killed = 0
                while killed < Self.kills, try scene.store.runs.states(of: [run])[run] == .running {
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...40)))
                    let victim = workers.indices.randomElement()!
                    underWay += try await scene.kill(workers[victim]).count
                    killed += 1
                    workers[victim] = try scene.startWorker()
                }
                last.open()
                let detail = try await Self.finish(run, scene)
                #expect(killed == Self.kills)
                #expect(detail.summary.state == .completed, "\(detail.summary.reason ?? "")")
                #expect(detail.output == expected.output)
                #expect(detail.calls.map(\.record.path).sorted() == expected.calls.map(\.record.path).sorted())
                #expect(detail.calls.allSatisfy { $0.record.state == .completed && $0.jobState == .completed })
                // One job a call, and one result a job.
                #expect(try scene.number("SELECT count(*) FROM jobs") == Int64(expected.calls.count))
                #expect(try scene.number("SELECT count(*) FROM results") == Int64(expected.calls.count))
                #expect(scene.server.requests.count <= expected.calls.count + underWay)
                print("run: \(detail.calls.count) calls, \(scene.server.requests.count) made, \(underWay) under way at \(killed) kills")
            }
        }
    }
}
