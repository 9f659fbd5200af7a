import Foundation

/// A program of this package, as built: it lies beside the running tests.
package enum Program: String, Sendable {
    case queue = "agent-queue"
    case worker = "agent-worker"
    case bench = "aq-bench"
    case askOne = "ask-one"
    case thousandFromFile = "thousand-from-file"
    case ownProvider = "own-provider"

    /// Where the running tests are.
    package static var tests: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    /// Where it is.
    package var path: String { URL(filePath: Self.tests).deletingLastPathComponent().appending(path: rawValue).path() }
}

/// The real Claude Code CLI, for tests.
package enum ClaudeCodeProgram {
    /// Where it is: as `AGENT_QUEUE_TEST_CLAUDE` says, else as `scripts/claude-code` has installed it; nil where it is not.
    package static let path: String? = {
        if let path = ProcessInfo.processInfo.environment["AGENT_QUEUE_TEST_CLAUDE"] {
            return FileManager.default.isExecutableFile(atPath: path) ? path : nil
        }
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let library = root.appending(path: ".venv/lib").path()
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: library)) ?? []
        return versions.map { "\(library)/\($0)/site-packages/claude_agent_sdk/_bundled/claude" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()
}
