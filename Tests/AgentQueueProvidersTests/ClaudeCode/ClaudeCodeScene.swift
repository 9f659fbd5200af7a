import AgentQueueModel
import AgentQueueTestSupport
import Foundation

@testable import AgentQueueProviders

/// The real program behind a scripted server, or a script in its place.
struct ClaudeCodeScene: Sendable {
    let provider: ClaudeCodeProvider
    let server: ScriptedServer
    let register: ChildProcessRegister

    /// A key that must appear nowhere but in the request's header.
    static let key = "sk-ant-canary-0123456789abcdef"

    /// The real program; nil where it is not installed.
    static let program: String? = {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["AGENT_QUEUE_TEST_CLAUDE"] { return FileManager.default.isExecutableFile(atPath: path) ? path : nil }
        // Beside this file's package, as `pip install claude-agent-sdk` leaves it.
        let root = URL(filePath: #filePath).resolvingSymlinksInPath().pathComponents.dropLast(4)
        let library = NSString.path(withComponents: Array(root)) + "/.venv/lib"
        for version in (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? [] {
            let path = "\(library)/\(version)/site-packages/claude_agent_sdk/_bundled/claude"
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        return nil
    }()

    /// How a provider is made, where that matters.
    struct Options: Sendable {
        var command: String?
        var baseURL: String?
        var apiKey: String? = ClaudeCodeScene.key
        var extraEnvironment: [String: String] = [:]
        var isWarm = true
        var maxJobs = 50
        var maxBytes = 2_000_000_000
        var idleTime: Int64 = 60_000
        var maxIdle = 8
        /// A test machine may be busy.
        var patience: Int64 = 20_000
    }

    /// Lends a provider, and shuts it down.
    static func run<Value>(_ script: Script, _ options: Options = Options(), _ body: (ClaudeCodeScene) async throws -> Value) async throws
        -> Value
    {
        let home = FileManager.default.temporaryDirectory.appending(path: "aq-claude-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        return try await ScriptedServer.withServer(script) { server in
            let register = ChildProcessRegister()
            let environment = ["HOME": home, "PATH": "/usr/bin:/bin", "TMPDIR": home, "OPENAI_API_KEY": "sk-other"]
            let provider = ClaudeCodeProvider(
                name: "claude-code", command: options.command ?? program ?? "/nonexistent/claude",
                environment: environment.merging(options.extraEnvironment) { $1 }, apiKey: options.apiKey,
                baseURL: options.baseURL ?? server.url,
                isWarm: options.isWarm, maxJobsPerProcess: options.maxJobs, maxProcessBytes: options.maxBytes, idleTime: options.idleTime,
                maxIdle: options.maxIdle, patience: options.patience, register: register)
            let scene = ClaudeCodeScene(provider: provider, server: server, register: register)
            do {
                let value = try await body(scene)
                await provider.shutdown()
                return value
            } catch {
                await provider.shutdown()
                throw error
            }
        }
    }

    /// Writes a script that takes the program's place, and lends its path.
    static func withScript<Value>(_ text: String, _ body: (String) async throws -> Value) async throws -> Value {
        let path = FileManager.default.temporaryDirectory.appending(path: "aq-fake-claude-\(UUID().uuidString)").path()
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    /// Asks.
    func ask(_ body: JSONValue, timeout: Int64 = 30_000, onText: (@Sendable (String) -> Void)? = nil) async -> Outcome {
        let request = ModelRequest(kind: .generate, target: Target(provider: "claude-code", model: "claude-sonnet-5"), body: body)
        return await provider.respond(to: request, CallOptions(timeout: timeout, onText: onText))
    }

    /// Asks one question.
    func ask(_ prompt: String, timeout: Int64 = 30_000, onText: (@Sendable (String) -> Void)? = nil) async -> Outcome {
        await ask(["messages": [["role": "user", "content": .string(prompt)]]], timeout: timeout, onText: onText)
    }

    /// The calls of a model that the server has seen.
    var calls: [RecordedRequest] { server.requests.filter(\.isCall) }
}
