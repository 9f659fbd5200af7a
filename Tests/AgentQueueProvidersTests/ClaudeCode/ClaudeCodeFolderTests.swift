import Foundation
import Glibc
import Testing

@testable import AgentQueueProviders

@Suite struct ClaudeCodeFolderTests {
    /// Lends an empty folder.
    private func withParent(_ body: (String) throws -> Void) throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "aq-folders-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: parent) }
        try body(parent)
    }

    @Test func aFolderSaysWhoseItIsAndGoesWithIt() throws {
        try withParent { parent in
            let folder = ClaudeCodeFolder(in: parent)
            #expect(folder.current == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == [])
            let work = try folder.workingDirectory()
            #expect(work.hasPrefix("\(parent)/agent-queue-claude-\(getpid())-"))
            folder.remove()
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == [])
        }
    }

    /// No process has a number as high as this.
    private static let gone = 1_999_999_999

    @Test func whatADeadProcessLeftIsRemovedAtTheFirstUse() throws {
        try withParent { parent in
            let files = FileManager.default
            let left = "\(parent)/agent-queue-claude-\(Self.gone)-abcdef"
            try files.createDirectory(atPath: "\(left)/work", withIntermediateDirectories: true)
            try Data("secret".utf8).write(to: URL(filePath: "\(left)/system-1.txt"))
            let kept = [
                "agent-queue-claude-\(getpid())-abcdef", "agent-queue-claude-1-abcdef", "agent-queue-claude-abcdef",
                "agent-queue-claude-0-abcdef", "agent-queue-claude--5-abcdef", "agent-queue-claude-99999999999999999999-a",
                "other-\(Self.gone)-abcdef",
            ]
            for name in kept { try files.createDirectory(atPath: "\(parent)/\(name)", withIntermediateDirectories: true) }
            // A link is followed by no one.
            let link = "agent-queue-claude-\(Self.gone)-linked"
            try files.createSymbolicLink(atPath: "\(parent)/\(link)", withDestinationPath: "\(parent)/\(kept[0])")
            let folder = ClaudeCodeFolder(in: parent)
            let own = URL(filePath: try folder.workingDirectory()).deletingLastPathComponent().lastPathComponent
            #expect(try Set(files.contentsOfDirectory(atPath: parent)) == Set(kept + [link, own]))
        }
    }
}
