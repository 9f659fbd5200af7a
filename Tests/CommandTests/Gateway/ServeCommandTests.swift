import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

@testable import agent_queue

/// The real program on a real port, asked by curl.
@Suite(.timeLimit(.minutes(3))) struct ServeCommandTests {
    @Test func theFirstStartMakesAKeyThatOpensIt() async throws {
        try await ScriptedServer.withServer(ExampleScene.script) { server in
            let sandbox = try Sandbox()
            try sandbox.file("agent-queue.yaml", Self.configuration(server))
            try await Self.serving(sandbox) { url, process in
                let key = try Self.key(of: sandbox)
                // The configuration names no port.
                let lines = try await sandbox.run("keys", "env").lines
                #expect(lines.contains("export OPENAI_BASE_URL=\(url)/v1") && lines.contains("export ANTHROPIC_API_KEY=\(key)"), "\(lines)")
                let body = #"{"model": "local/smollm2", "messages": [{"role": "user", "content": "Hi"}]}"#
                let answer = try await Self.ask("\(url)/v1/chat/completions", key: key, body: body, in: sandbox)
                #expect(answer.status == 200)
                #expect(answer.json["choices"]?.array?.first?["message"]?["content"] == "An answer.")
                let refused = try await Self.ask("\(url)/v1/chat/completions", key: "aq-1-no", body: body, in: sandbox)
                #expect(refused.status == 401 && refused.json["error"]?["code"] == "invalid_api_key")
                let jobs = try await sandbox.run("list", "--json").json
                #expect(jobs.count == 1 && jobs.first?["state"] == "completed" && jobs.first?["queue"] == "api.local")
                // No log and no output has the key; where it is, is told.
                #expect(!process.output.contains(key.suffix(43)) && process.output.contains("the key is in \(sandbox.database).key\n"))
            }
            var status = stat()
            #expect(stat("\(sandbox.database).key", &status) == 0 && status.st_mode & 0o777 == 0o600)
            let made = try await sandbox.withStore { try $0.keys.list() }
            #expect(made.map(\.name) == ["local"] && made.first?.scopes == Set(KeyScope.allCases).subtracting([.admin]))
            // Another start keeps the key.
            let key = try Self.key(of: sandbox)
            try await Self.serving(sandbox) { url, _ in
                let models = try await Self.ask("\(url)/v1/models", key: key, in: sandbox)
                #expect(models.status == 200)
            }
            #expect(try Self.key(of: sandbox) == key)
        }
    }

    @Test func aSocketNeedsNoKey() async throws {
        try await ScriptedServer.withServer(ExampleScene.script) { server in
            let sandbox = try Sandbox()
            try sandbox.file("agent-queue.yaml", Self.configuration(server))
            try await Self.serving(sandbox, "--listen", "none", "--socket", "run/serve.sock") { url, process in
                #expect(process.output.contains("listening on the socket \(sandbox.folder)/run/serve.sock; it needs no key"))
                let answer = try await sandbox.shell("curl -s --unix-socket run/serve.sock http://localhost/v1/models")
                #expect(answer.output.contains("local/smollm2"), "\(answer.output)\(process.output)")
                #expect(!FileManager.default.fileExists(atPath: "\(sandbox.database).key"))
            }
        }
    }

    @Test func anAddressInUseIsOneSentence() async throws {
        let sandbox = try Sandbox()
        try await Self.serving(sandbox) { url, _ in
            let address = url.dropFirst("http://".count)
            let ending = try await sandbox.run("serve", "--listen", "\(address)")
            #expect(ending.status == 69)
            #expect(ending.sentence?.hasPrefix("\(address) is in use") == true, "\(ending.error)")
        }
    }

    @Test func aSecondSignalEndsItAtOnce() async throws {
        let gate = Gate()
        try await ScriptedServer.withServer(.always(ScriptedAnswer(json: "{}", after: gate))) { server in
            let sandbox = try Sandbox()
            try sandbox.file(
                "agent-queue.yaml", Self.configuration(server).replacing("shutdown_grace: 1s", with: "shutdown_grace: 10m"))
            try await Self.serving(sandbox, "--no-auth") { url, process in
                let body = #"{"model": "local/smollm2", "messages": [{"role": "user", "content": "Hi"}]}"#
                let client = Task { try await Self.ask("\(url)/v1/chat/completions", key: "none", body: body, in: sandbox) }
                try await until("the call is made") { server.requests.count == 1 }
                process.send(SIGTERM)
                try await process.waitForOutput("stopping")
                // Those within a second are the first, sent again.
                try await until("it ends", within: .seconds(10)) {
                    process.send(SIGTERM)
                    return process.ending != nil
                }
                _ = await client.result
            }
        }
    }

    /// What systemd says of the units that this repository has, with a program in the place of those that they start.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")))
    func systemdFindsNothingWrongWithTheUnits() async throws {
        let sandbox = try Sandbox()
        let units = URL(filePath: #filePath).appending(path: "../../../../config/systemd").standardized
        for unit in try FileManager.default.contentsOfDirectory(atPath: units.path) {
            let text = try String(contentsOf: units.appending(path: unit), encoding: .utf8)
            try sandbox.file(unit, text.replacing(/ExecStart=\S+/, with: "ExecStart=/bin/true"))
        }
        let verified = try await sandbox.shell("systemd-analyze verify ./*.service ./*.timer 2>&1")
        #expect(verified.status == 0 && verified.output.isEmpty, "\(verified.output)")
    }

    @Test(
        arguments: [
            (["--listen", "8484"], 64, "--listen: '8484' is not an address to listen on (such as 127.0.0.1:8484 or [::1]:8484)"),
            (["--listen", "0.0.0.0:0"], 78, "0.0.0.0:0 can be reached from other machines"),
            (["--listen", "none"], 78, "serve.socket must name a socket to listen on"),
            (["--log-format", "xml"], 64, "unknown 'xml'"),
        ] as [([String], Int32, String)])
    func saysWhatIsWrong(arguments: [String], status: Int32, words: String) async throws {
        let sandbox = try Sandbox()
        let ending = try await sandbox.shell("\"$AQ\" serve \(arguments.joined(separator: " "))")
        #expect(ending.status == status && ending.sentence?.contains(words) == true, "\(ending.error)")
        #expect(!FileManager.default.fileExists(atPath: sandbox.database))
    }

    @Test func withoutKeysOnlyThisMachineIsServed() async throws {
        let sandbox = try Sandbox()
        try sandbox.file("agent-queue.yaml", "serve: { listen: '0.0.0.0:0', plain_http: true }\n")
        let ending = try await sandbox.run("serve", "--no-auth")
        #expect(ending.status == 64 && ending.sentence?.hasPrefix("--no-auth is for addresses of this machine alone") == true)
        try sandbox.file("agent-queue.yaml", "")
        try await Self.serving(sandbox, "--no-auth") { url, process in
            let answer = try await sandbox.shell("curl -s -o models.json -w '%{http_code}' '\(url)/v1/models'")
            #expect(answer.output == "200", "\(process.output)")
            #expect(!FileManager.default.fileExists(atPath: "\(sandbox.database).key"))
        }
    }

    /// The page's commands for curl, as they stand.
    @Test func whatThePageShowsOfCurlWorks() async throws {
        let page = try String(
            contentsOf: URL(filePath: #filePath).appending(path: "../../../../docs/gateway.md").standardized, encoding: .utf8)
        let lines = page.matches(of: /```(?:ba)?sh\n([\s\S]*?)```/).map { String($0.output.1).replacing("\\\n", with: " ") }
            .flatMap { $0.split(separator: "\n").map(String.init) }.filter { $0.hasPrefix("curl -s") }
        #expect(lines.count == 4)
        try await ScriptedServer.withServer(ExampleScene.script) { server in
            let sandbox = try Sandbox()
            try sandbox.file("agent-queue.yaml", Self.configuration(server))
            let folder = "\(sandbox.folder)/home/.local/share/agent-queue"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try await Self.serving(sandbox, "--socket", "\(folder)/gateway/serve.sock") { url, process in
                let key = try Self.key(of: sandbox)
                let exports =
                    "export OPENAI_BASE_URL=\(url)/v1 OPENAI_API_KEY=\(key) ANTHROPIC_BASE_URL=\(url) ANTHROPIC_API_KEY=\(key)"
                for line in lines {
                    let answer = try await sandbox.shell("\(exports)\n\(line.replacing("curl -s", with: "curl -f -s"))")
                    #expect(answer.status == 0 && !answer.output.isEmpty, "\(line)\n\(answer.output)\(process.output)")
                }
            }
        }
    }

    // MARK: The greeting

    @Test func aTerminalGetsTheKeyAndALogDoesNot() throws {
        let sandbox = try Sandbox()
        let local = LocalKey(database: "\(sandbox.folder)/queue.db")
        let key = KeyText(id: 3, secret: [UInt8](repeating: 1, count: 32))
        try local.write(key)
        let greeting = ServeGreeting(ServeSettings(), key: local, asksForKeys: true)
        #expect(greeting.lines(.standard, isTerminal: false) == ["listening on http://127.0.0.1:8484; the key is in \(local.path)"])
        let shown = greeting.lines(.standard, isTerminal: true)
        #expect(shown.first == "listening on http://127.0.0.1:8484; for programs in another shell:")
        #expect(
            shown.contains("  export OPENAI_BASE_URL=http://127.0.0.1:8484/v1") && shown.contains("  export ANTHROPIC_API_KEY=\(key.text)"))
        var serve = ServeSettings()
        serve.publicURL = "https://queue.example/ai"
        serve.tls.certificate = "/tls.pem"
        let open = ServeGreeting(serve, key: local, asksForKeys: false).lines(ListenAddress(host: "127.0.0.1", port: 9), isTerminal: true)
        #expect(open.first == "listening on https://127.0.0.1:9; for programs in another shell:")
        #expect(open.contains("  export ANTHROPIC_BASE_URL=https://queue.example/ai") && open.contains("  export OPENAI_API_KEY=unused"))
    }

    @Test func aGatewaysKeyIsNoProvidersKey() {
        let key = KeyText(id: 3, secret: [UInt8](repeating: 1, count: 32)).text
        let cleaned = ServeEnvironment.cleaned([
            "OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": key, "ANTHROPIC_BASE_URL": "http://127.0.0.1:8484", "PATH": "/bin",
        ])
        #expect(cleaned == ["OPENAI_API_KEY": "sk-1", "PATH": "/bin"])
    }

    // MARK: What runs

    private static func configuration(_ server: ScriptedServer) -> String {
        "providers: { local: { kind: openai, base_url: \"\(server.url)/v1\" } }\nworker: { shutdown_grace: 1s }\n"
    }

    /// Runs `serve` on a free port while `body` runs; it then ends at SIGTERM with 0.
    private static func serving(
        _ sandbox: Sandbox, _ options: String..., body: (_ url: String, ChildProcess) async throws -> Void
    ) async throws {
        let listen = options.contains("--listen") ? [] : ["--listen", "127.0.0.1:0"]
        let process = try ChildProcess(
            "/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", sandbox.folder, Sandbox.program, "serve"] + listen + options,
            environment: sandbox.environment)
        do {
            try await process.waitForOutput("listening on ", within: .seconds(60))
            try await process.waitForOutput("\n")
            let url = process.output.firstMatch(of: /listening on (http:[^ ;]+)/).map { String($0.output.1) } ?? ""
            try await body(url, process)
        } catch {
            process.send(SIGKILL)
            throw error
        }
        process.send(SIGTERM)
        let ending = try await process.end(within: .seconds(60))
        #expect(ending == .exit(0), "\(process.output)")
    }

    private static func key(of sandbox: Sandbox) throws -> String {
        try sandbox.read("data/queue.db.key").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func ask(
        _ url: String, key: String, body: String? = nil, in sandbox: Sandbox
    ) async throws -> (status: Int, json: JSONValue) {
        let data = body.map { "-H 'content-type: application/json' -d '\($0)'" } ?? ""
        let answer = try await sandbox.shell("curl -s -w '\\n%{http_code}' -H 'authorization: Bearer \(key)' \(data) '\(url)'")
        let lines = answer.output.split(separator: "\n", omittingEmptySubsequences: false)
        let status = lines.last.flatMap { Int($0) } ?? 0
        return (status, (try? JSONValue.parse(lines.dropLast().joined(separator: "\n"))) ?? .null)
    }
}
