import AgentQueueTestSupport
import Foundation
import Testing

/// The programs of Examples, run as a newcomer runs them.
@Suite(.timeLimit(.minutes(10))) struct ExampleTests {
    /// Whether the local model is where the examples look for it.
    private static let hasModel =
        ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_CHAT_URL"] == "http://127.0.0.1:8089/v1"

    /// What an example prints, in an empty folder of its own.
    private func run(_ program: Program, _ arguments: [String] = [], in folder: String) throws -> (status: Int32, output: [String]) {
        let output = "\(folder)/output"
        #expect(FileManager.default.createFile(atPath: output, contents: nil))
        let process = Process()
        process.executableURL = URL(filePath: program.path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: folder)
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: try Data(contentsOf: URL(filePath: output)), as: UTF8.self)
        return (process.terminationStatus, text.split(separator: "\n").map(String.init))
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "agent-queue-example-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test func `a program brings a provider of its own`() throws {
        try withFolder { folder in
            let (status, output) = try run(.ownProvider, in: folder)
            #expect(status == 0)
            #expect(output.suffix(2) == ["1: HELLO THERE! by shout/loud", "2: GOOD NIGHT! by shout/loud"])
        }
    }

    @Test(.enabled(if: hasModel)) func `one question is asked`() throws {
        try withFolder { folder in
            let (status, output) = try run(.askOne, ["Say yes."], in: folder)
            #expect(status == 0)
            #expect(!output.joined().isEmpty)
        }
    }

    @Test(.enabled(if: hasModel)) func `questions of a file are asked, and asked once`() throws {
        try withFolder { folder in
            let lines = (1...3).map { #"{"prompt": "Say \#($0).", "max_tokens": 4}"# }.joined(separator: "\n")
            try lines.write(toFile: "\(folder)/three.jsonl", atomically: true, encoding: .utf8)
            let (status, output) = try run(.thousandFromFile, ["three.jsonl"], in: folder)
            #expect(status == 0)
            #expect(output.contains("3 jobs added now") && output.contains("3 of 3 done, 0 failed"))
            let (again, second) = try run(.thousandFromFile, ["three.jsonl"], in: folder)
            #expect(again == 0)
            #expect(second.contains("0 jobs added now"))
        }
    }
}
