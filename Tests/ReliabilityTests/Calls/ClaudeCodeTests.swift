import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Synchronization
import Testing

extension ReliabilityTests {
    /// The real program, run by real workers.
    @Suite(.enabled(if: ClaudeCodeProgram.path != nil, "the Claude Code CLI is not installed: run scripts/claude-code"))
    struct ClaudeCodeTests {
        private static func provider(_ url: String = "$URL", _ more: String = "") -> String {
            let program = ClaudeCodeProgram.path ?? ""
            return " }\n  cc: { kind: claude-code, command: \"\(program)\", base_url: \"\(url)\", api_key_env: AQ_TEST_KEY\(more)"
        }

        private static let environment = ["AQ_TEST_KEY": "sk-ant-test"]

        /// A killed worker's program must not go on with a call that another worker makes again.
        @Test func aKilledWorkersProgramEndsBeforeItsJobRunsAgain() async throws {
            let open = Mutex<Int?>(nil)
            let asked = Mutex(0)
            let server = Mutex<ScriptedServer?>(nil)
            let script = Script { request in
                guard request.path.hasPrefix("/v1/messages"), request.method == "POST" else { return ScriptedAnswer(404, json: "{}") }
                let number = asked.withLock { asked in
                    asked += 1
                    return asked
                }
                if number == 1 { return .hang }
                // Its own connection, and no other: the first program's is gone.
                open.withLock { $0 = $0 ?? server.withLock { $0?.openConnections } }
                return .message("done")
            }
            try await withScene(script, provider: Self.provider()) { scene in
                server.withLock { $0 = scene.server }
                let first = try await scene.worker(environment: Self.environment)
                let id = try await scene.enqueue("Say done.", to: "cc/claude-sonnet-5")
                try await until("the program calls", within: .seconds(60)) { asked.withLock { $0 } == 1 }
                let programs = Self.children(of: first.pid)
                #expect(programs.count == 1)
                first.send(SIGKILL)
                try await scene.worker(environment: Self.environment)
                try await scene.wait(for: id, .completed, within: .seconds(60))
                #expect(open.withLock { $0 } == 1)
                for program in programs { #expect(!Self.runs(program)) }
                #expect(try scene.job(id).result?.text == "done")
                #expect(try scene.store.providers.doubtfulCalls(limit: 10).map(\.jobID) == [id])
            }
        }

        /// Real answers of a real model, from a program that is started for each job, and from one that is kept.
        @Test(
            .enabled(if: ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_CHAT_URL"] != nil, "no local model"),
            arguments: [true, false])
        func realAnswers(_ isWarm: Bool) async throws {
            let model = (ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_CHAT_URL"] ?? "").replacing("/v1", with: "")
            let provider = Self.provider(model, ", warm: \(isWarm), concurrency: 1")
            try await withScene(.hang, provider: provider) { scene in
                var ids: [Int64] = []
                for colour in ["red", "blue"] {
                    ids.append(
                        try await scene.enqueue("Name a thing that is \(colour).", to: "cc/smollm2") { job in
                            job.body = #"{"max_tokens":24,"messages":[{"content":"Name a thing that is \#(colour).","role":"user"}]}"#
                        })
                }
                let worker = try await scene.worker("--drain", environment: Self.environment)
                #expect(try await worker.end(within: .seconds(240)) == .exit(0))
                for id in ids {
                    let job = try scene.job(id)
                    #expect(job.state == .completed, "\(job.errors)")
                    #expect(job.result?.text?.isEmpty == false)
                    #expect(job.result?.usage.outputTokens ?? 0 > 0)
                }
                // Ended with their worker.
                #expect(Self.children(of: worker.pid).isEmpty)
            }
        }

        /// Whether a process runs. One that only waits for its parent to take notice does not.
        private static func runs(_ pid: pid_t) -> Bool {
            let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
            return ["R", "S", "D", "T"].contains(status.split(separator: ")").last?.split(separator: " ").first ?? "")
        }

        /// The processes whose parent that is.
        private static func children(of parent: pid_t) -> [pid_t] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            return names.compactMap { pid_t($0) }.filter { pid in
                let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
                let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
                return fields.count > 1 && pid_t(fields[1]) == parent
            }
        }
    }
}

extension ScriptedAnswer {
    /// A good answer of Anthropic's API, as a stream.
    static func message(_ text: String) -> ScriptedAnswer {
        let events = [
            #"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":1}}}"#,
            #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#(text)"}}"#,
            #"{"type":"content_block_stop","index":0}"#,
            #"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":3}}"#,
            #"{"type":"message_stop"}"#,
        ]
        let body = events.map { "event: \($0.split(separator: "\"")[3])\ndata: \($0)\n\n" }.joined()
        return ScriptedAnswer(headers: [("content-type", "text/event-stream")], body: Array(body.utf8))
    }
}
