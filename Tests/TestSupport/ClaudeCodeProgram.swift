import Foundation

/// The real Claude Code CLI, for tests.
public enum ClaudeCodeProgram {
    /// Where it is: as `AGENT_QUEUE_TEST_CLAUDE` says, else as `scripts/claude-code` has installed it; nil where it is not.
    public static let path: String? = {
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
