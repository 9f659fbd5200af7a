import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Foundation
import Glibc
import Testing

/// A folder of its own, in which a test runs the real `agent-queue` as a person would.
final class Sandbox: Sendable {
    let folder: String
    var database: String { "\(folder)/data/queue.db" }

    /// The program that was built with the tests: it lies beside the file that runs them.
    static let program: String = {
        let runner = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let beside = runner.map { URL(filePath: $0).deletingLastPathComponent().appending(path: "agent-queue").path() }
        if let beside, FileManager.default.isExecutableFile(atPath: beside) { return beside }
        return URL(filePath: #filePath).appending(path: "../../../.build/debug/agent-queue").standardized.path()
    }()

    init() throws {
        var template = Array("\(NSTemporaryDirectory())agent-queue-test-XXXXXX".utf8CString)
        folder = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Writes a file and returns its path.
    @discardableResult
    func file(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    func read(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: "\(folder)/\(name)")), as: UTF8.self)
    }

    /// Runs `agent-queue` to its end.
    func run(_ arguments: String..., input: [UInt8] = [], environment: [String: String] = [:]) async throws -> Ending {
        try await run(Self.program, arguments, input: input, environment: environment)
    }

    /// Makes an empty database: commands that only read want one.
    func makeDatabase() async throws {
        let ending = try await run("database", "migrate")
        try #require(ending.status == 0, "\(ending.error)")
    }

    /// Runs a line of bash, in which `$AQ` is the program.
    func shell(_ line: String, within limit: Duration = .seconds(120)) async throws -> Ending {
        try await run("/bin/bash", ["-c", line], input: [], environment: [:], within: limit)
    }

    /// Starts `agent-queue` and lets it run: its output can be read while it comes.
    func start(_ arguments: String...) throws -> ChildProcess {
        try ChildProcess("/bin/sh", ["-c", "cd \"$0\" && exec \"$@\"", folder, Self.program] + arguments, environment: environment)
    }

    /// What the program's environment holds: nothing of the machine's but where programs are.
    var environment: [String: String] {
        ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "\(folder)/home", "AGENT_QUEUE_DATABASE": database, "AQ": Self.program]
    }

    private func run(
        _ program: String, _ arguments: [String], input: [UInt8], environment: [String: String], within limit: Duration = .seconds(120)
    ) async throws -> Ending {
        // Files take any amount of output without anybody reading.
        let name = UUID().uuidString
        for file in ["\(name).in", "\(name).out", "\(name).err"] { try self.file(file, "") }
        try Data(input).write(to: URL(filePath: "\(folder)/\(name).in"))
        // A shell for the folder and the files. (Foundation's `Process` crashes now and then when several start at once.)
        let process = try ChildProcess(
            "/bin/sh",
            ["-c", "cd \"$0\" && name=$1 && shift && exec \"$@\" <\"$name.in\" >\"$name.out\" 2>\"$name.err\"", folder, name, program]
                + arguments, environment: self.environment.merging(environment) { $1 })
        let status: Int32 =
            switch try await process.end(within: limit) {
            case .exit(let code): code
            case .signal(let signal): 128 + signal
            }
        return Ending(status: status, output: try read("\(name).out"), error: try read("\(name).err"))
    }
}

/// How a run of `agent-queue` ended.
struct Ending: Sendable {
    let status: Int32
    let output: String
    let error: String

    /// The lines of standard output.
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Standard output as JSON, a value a line.
    var json: [JSONValue] {
        get throws { try lines.map { try JSONValue.parse($0) } }
    }

    /// Standard error, which is one sentence of ours: what comes after the program's name.
    var sentence: String? {
        let lines = error.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 2, lines[1].isEmpty, lines[0].hasPrefix("agent-queue: ") else { return nil }
        return String(lines[0].dropFirst("agent-queue: ".count))
    }
}
