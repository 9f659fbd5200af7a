import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// Ends, told by real worker processes.
    @Suite struct NotificationTests {
        private static let configuration = """
            notifications:
              hook: { url: "$URL/hook", timeout: 1s }
              shell: { command: 'cat >> "$HOME/told"' }
            """

        private static let script = Script { $0.path == "/hook" ? ScriptedAnswer(204, body: []) : .echo($0) }

        private func told(_ scene: Scene) -> [RecordedRequest] { scene.server.requests.filter { $0.path == "/hook" } }

        @Test func eachEndIsToldOnceBeforeADrainEnds() async throws {
            try await withScene(Self.script, configuration: Self.configuration) { scene in
                for number in 1...30 {
                    try await scene.enqueue("p\(number)") {
                        $0.onFinish = ["hook", "shell"]
                        $0.batch = "b"
                        $0.onBatchFinish = ["hook"]
                    }
                }
                let workers = [try scene.startWorker("--drain"), try scene.startWorker("--drain")]
                for worker in workers { #expect(try await worker.end() == .exit(0), "\(worker.output)") }
                #expect(try scene.number("SELECT count(*) FROM notices WHERE state = 'delivered' AND attempts = 1") == 61)
                #expect(try scene.number("SELECT count(*) FROM notices") == 61)
                let ids = told(scene).map { $0["webhook-id"] }
                #expect(ids.count == 31)
                #expect(Set(ids).count == 31)
                let bodies = try told(scene).map { try JSONValue.parse($0.text) }
                #expect(bodies.count { $0["kind"] == "batch" && $0["completed"] == 30 } == 1)
                let lines = try String(contentsOfFile: scene.folder + "/told", encoding: .utf8).split(separator: "\n")
                #expect(try Set(lines.map { try JSONValue.parse(String($0))["id"]?.int }).count == 30)
                #expect(lines.count == 30)
            }
        }

        @Test func aWorkerThatIsKilledWhileItTellsLeavesItToAnother() async throws {
            let calls = Counter()
            let script = Script { request in
                guard request.path == "/hook" else { return .echo(request) }
                calls.add()
                // The receiver has it; the worker never learns.
                return calls.count == 1 ? .hang : ScriptedAnswer(204, body: [])
            }
            let configuration = Self.configuration.replacing("timeout: 1s", with: "timeout: 2s")
            try await withScene(script, configuration: configuration) { scene in
                let first = try await scene.worker()
                try await scene.enqueue("p") { $0.onFinish = ["hook"] }
                try await within(.seconds(30), "the notice arrives") { try await calls.wait(atLeast: 1) }
                first.send(SIGKILL)
                try await first.end()
                try await scene.worker()
                try await until("it is told again") {
                    try scene.number("SELECT count(*) FROM notices WHERE state = 'delivered'") == 1
                }
                let ids = told(scene).map { $0["webhook-id"] }
                #expect(ids.count == 2)
                #expect(Set(ids).count == 1)
                #expect(told(scene)[0].body == told(scene)[1].body)
                #expect(try scene.number("SELECT attempts FROM notices") == 2)
            }
        }

        @Test func aHookThatHangsHoldsUpNeitherOthersNorADrain() async throws {
            let script = Script { $0.path == "/hook" ? .hang : .echo($0) }
            try await withScene(script, configuration: Self.configuration) { scene in
                for number in 1...64 { try await scene.enqueue("p\(number)") { $0.onFinish = ["hook"] } }
                for number in 65...70 { try await scene.enqueue("p\(number)") { $0.onFinish = ["shell"] } }
                let worker = try scene.startWorker("--drain", "--concurrency", "20")
                let (ending, output) = try await worker.endOfOutput(within: .seconds(20))
                #expect(ending == .exit(0), "\(output)")
                let delivered = "SELECT count(*) FROM notices WHERE state = 'delivered' AND notification = 'shell'"
                #expect(try scene.number(delivered) == 6)
                #expect(output.contains("notification 'hook' is left alone for 30s: its target does not answer"))
                #expect(output.contains("64 notifications are left for the next worker"))
                #expect(told(scene).count <= 32)
            }
        }

        @Test func aStopDoesNotWaitForOneThatHangs() async throws {
            let script = Script { $0.path == "/hook" ? .hang : .echo($0) }
            let configuration = Self.configuration.replacing("timeout: 1s", with: "timeout: 1h")
            try await withScene(script, configuration: configuration) { scene in
                let worker = try await scene.worker()
                let id = try await scene.enqueue("p") { $0.onFinish = ["hook"] }
                try await scene.wait(for: id, .completed)
                try await scene.calls(2)
                worker.send(SIGTERM)
                #expect(try await worker.end() == .exit(0), "\(worker.output)")
                // The attempt does not count, and the notice is due for the next worker.
                #expect(try scene.number("SELECT attempts FROM notices WHERE state = 'waiting'") == 0)
            }
        }
    }
}
