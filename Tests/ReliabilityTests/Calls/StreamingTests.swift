import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// A person reads along in one process what a model says to another.
    @Suite struct StreamingTests {
        private static func event(_ text: String, finish: String? = nil) -> String {
            let delta = finish == nil ? #"{"content": "\#(text)"}"# : "{}"
            return #"data: {"choices": [{"index": 0, "delta": \#(delta), "finish_reason": \#(finish.map { "\"\($0)\"" } ?? "null")}]}"#
                + "\n\n"
        }

        private static let type = [("content-type", "text/event-stream")]

        @Test func whatHasComeIsPrintedBeforeTheEnd() async throws {
            let body = Self.event("Once upon") + Self.event(" a time") + Self.event("", finish: "stop") + "data: [DONE]\n\n"
            let first = Self.event("Once upon").utf8.count
            let script = Script.inTurn(
                ScriptedAnswer(headers: Self.type, body: Array(body.utf8), ending: .stalled(afterBytes: first)),
                ScriptedAnswer(headers: Self.type, body: Array(body.utf8)))
            try await withScene(script) { scene in
                let worker = try await scene.worker()
                let reader = try scene.start("enqueue", "--wait", "--stream", "Tell me a story.")
                try await reader.waitForOutput("Once upon")
                #expect(try scene.job(1).state == .running)
                #expect(!reader.output.contains("a time"))
                // The worker dies in the middle of the sentence; the next attempt says all of it, once.
                worker.send(SIGKILL)
                try await scene.worker()
                let (ending, output) = try await reader.endOfOutput()
                #expect(ending == .exit(0))
                #expect(output.hasSuffix("Once upon a time\n"), "\(output)")
                #expect(output.components(separatedBy: "a time").count == 2)
                #expect(try scene.number("SELECT count(*) FROM stream_chunks") == 0)
                #expect(try scene.number("SELECT count(*) FROM streams") == 0)
            }
        }

        @Test func aPartialReplyIsKeptWithTheAttempt() async throws {
            let half = Self.event("Half of it")
            let body = Array((half + Self.event(" and the rest")).utf8)
            let script = Script.always(ScriptedAnswer(headers: Self.type, body: body, ending: .dropped(afterBytes: half.utf8.count)))
            try await withScene(script) { scene in
                try await scene.worker()
                let ending = try await scene.run("enqueue", "--wait", "--stream", "--max-attempts", "1", "Tell me a story.")
                #expect(ending.ending == .exit(1))
                #expect(try scene.job(1).errors.last?.partialText == "Half of it")
                let shown = try await scene.run("show", "1")
                #expect(shown.output.contains("Half of it"))
                #expect(try scene.store.providers.doubtfulCalls(limit: 10).map(\.jobID) == [1])
            }
        }
    }
}
