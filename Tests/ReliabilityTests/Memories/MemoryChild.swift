import AgentQueueTestSupport
import Foundation
import Glibc
import Synchronization

/// A process of its own that stores, forgets and searches memories: this test program once more, in one of its ``MemoryRoles``.
final class MemoryChild: Sendable {
    let process: ChildProcess
    private let asked = Mutex(0)

    /// Starts it.
    /// - Parameter settings: more of its environment.
    init(_ role: String, in scene: Scene, _ settings: [String: String] = [:]) throws {
        let environment = ProcessInfo.processInfo.environment
            .merging([MemoryProcess.databaseName: scene.database]) { $1 }
            .merging(settings) { $1 }
        process = try ChildProcess(
            Program.tests, ["--testing-library", "swift-testing", "--filter", "MemoryRoles/\(role)\\("], environment: environment,
            holdsInput: true)
        scene.add(process)
    }

    /// Has a command carried out, and returns its reply.
    func ask(_ command: String) async throws -> String {
        let number = asked.withLock { number in
            number += 1
            return number
        }
        process.write(line: "\(number) \(command)")
        try await process.waitForOutput("@\(number).\n")
        let output = process.output
        guard let start = output.range(of: "@\(number) ")?.upperBound, let end = output.range(of: " @\(number).\n")?.lowerBound else {
            throw TookTooLong("no reply to '\(command)': \(output)")
        }
        return String(output[start..<end])
    }

    /// What it has begun, and what it has been told is done, by number.
    var progress: (begun: [Int], done: [Int]) {
        var progress = (begun: [Int](), done: [Int]())
        for line in process.output.split(separator: "\n") {
            if line.hasPrefix("@begin "), let number = Int(line.dropFirst(7)) { progress.begun.append(number) }
            if line.hasPrefix("@done "), let number = Int(line.dropFirst(6)) { progress.done.append(number) }
        }
        return progress
    }

    /// Kills it, wherever it is.
    func kill() async throws {
        process.send(SIGKILL)
        try await process.end()
    }
}

/// What a ``MemoryChild`` is told by its environment.
enum MemoryProcess {
    static let databaseName = "AGENT_QUEUE_TEST_MEMORIES"
    static let startName = "AGENT_QUEUE_TEST_START"

    /// The namespace of all these tests.
    static let namespace = "shared"

    /// The database; nil in a process that is no such child.
    static var database: String? { ProcessInfo.processInfo.environment[databaseName] }
    /// The number of its first batch.
    static var start: Int { ProcessInfo.processInfo.environment[startName].flatMap { Int($0) } ?? 0 }
}
