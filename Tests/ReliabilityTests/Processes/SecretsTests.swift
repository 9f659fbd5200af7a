import AgentQueueModel
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

extension ReliabilityTests {
    /// A key goes to the provider and nowhere else, and what people ask stays theirs.
    @Suite struct SecretsTests {
        private static let canary = "sk-canary-5f1d0c9e7b3a4286"

        @Test func theKeyIsNowhereAndTheFilesArePrivate() async throws {
            // A server that says the key back, in each way it can.
            let script = Script { request in
                let key = request["authorization"] ?? "none"
                switch request.prompt {
                case "answer":
                    var answer = ScriptedAnswer.saying("fine")
                    answer.headers.append(("x-request-id", key))
                    return answer
                case "text": return ScriptedAnswer(500, body: Array("cannot serve \(key)".utf8))
                default:
                    return ScriptedAnswer(
                        401, headers: [("x-request-id", key)],
                        json: #"{"error": {"message": "Incorrect API key provided: \#(key)", "type": "\#(key)", "code": "\#(key)"}}"#)
                }
            }
            try await withScene(script, provider: ", api_key_env: AQ_TEST_KEY") { scene in
                // The store's own files are made anew under the worker's umask: in this process they have a safe one.
                let database = scene.folder + "/private/deep/queue.db"
                let configuration = scene.folder + "/agent-queue.yaml"
                let environment = ["PATH": "/usr/bin:/bin", "HOME": scene.folder, "AQ_TEST_KEY": Self.canary]
                func loose(_ program: Program, _ arguments: String...) throws -> ChildProcess {
                    scene.add(
                        try ChildProcess(
                            "/bin/sh",
                            ["-c", #"umask 000; exec "$0" "$@""#, program.path] + arguments
                                + ["--database", database, "--config", configuration],
                            environment: environment))
                }
                for prompt in ["answer", "json", "text"] {
                    let ending = try await loose(.queue, "enqueue", "--max-attempts", "1", prompt).endOfOutput()
                    #expect(ending.ending == .exit(0), "\(ending.output)")
                }
                let worker = try loose(.worker, "--log-format", "json")
                try await scene.calls(3)
                let commandLine = try String(contentsOfFile: "/proc/\(worker.pid)/cmdline", encoding: .utf8)
                #expect(commandLine.contains("agent-worker"))
                #expect(!commandLine.contains(Self.canary))
                #expect(scene.server.requests.allSatisfy { $0["authorization"] == "Bearer \(Self.canary)" })
                try await worker.waitForOutput(#""job":1"#)
                try await worker.waitForOutput(#""job":2"#)
                try await worker.waitForOutput(#""job":3"#)

                let files = try FileManager.default.contentsOfDirectory(atPath: scene.folder + "/private/deep")
                #expect(files.sorted() == ["queue.db", "queue.db-bell", "queue.db-lock", "queue.db-shm", "queue.db-wal"])
                for file in files { #expect(Self.mode(scene.folder + "/private/deep/" + file) == 0o600, "\(file)") }
                #expect(Self.mode(scene.folder + "/private/deep") == 0o700)
                #expect(Self.mode(scene.folder + "/private") == 0o700)

                worker.send(SIGTERM)
                let (ending, output) = try await worker.endOfOutput()
                #expect(ending == .exit(0))
                #expect(output.contains("Incorrect API key"))
                for process in scene.processes { #expect(!process.output.contains(Self.canary)) }
                // No process has the database open now, so it may be read as a file; the last one has moved its log into it.
                let left = try FileManager.default.contentsOfDirectory(atPath: scene.folder + "/private/deep")
                #expect(left.sorted() == ["queue.db", "queue.db-bell", "queue.db-lock"])
                for file in left {
                    let bytes = try Data(contentsOf: URL(filePath: scene.folder + "/private/deep/" + file))
                    #expect(bytes.range(of: Data(Self.canary.utf8)) == nil, "\(file)")
                }
                let bytes = try Data(contentsOf: URL(filePath: database))
                #expect(bytes.range(of: Data("Incorrect API key".utf8)) != nil)
            }
        }

        private static func mode(_ path: String) -> mode_t? {
            var status = stat()
            return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
        }
    }
}
