import AgentQueueTestSupport
import Foundation
import Testing

/// The pages of docs/recipes, each pasted into a shell in an empty folder. The models are scripted, but for the Claude Code CLI, which is
/// the real one before a scripted server.
@Suite(.timeLimit(.minutes(10)), .serialized) struct RecipeTests {
    private static let folder =
        URL(filePath: #filePath).appending(path: "../../../..").standardized.path(percentEncoded: false) + "docs/recipes/"
    private static let pages = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0 != "README.md" }.sorted()

    /// What a recipe leaves behind, and what stands in it.
    private static let outcomes = [
        "classify-a-csv.md": ("labels.csv", "kettle"),
        "extract-to-a-table.md": ("people.csv", "name"),
        "evaluate-two-models.md": ("eval.csv", "openai/gpt-5-mini"),
        "claude-code-over-issues.md": ("triage.csv", "An answer."),
    ]

    @Test func everyRecipeIsListed() throws {
        let list = try String(contentsOfFile: Self.folder + "README.md", encoding: .utf8)
        #expect(Self.pages.count >= 6)
        #expect(Self.pages.filter { !list.contains("(\($0))") } == [])
    }

    @Test(arguments: pages) func theRecipeWorks(_ page: String) async throws {
        let text = try String(contentsOfFile: Self.folder + page, encoding: .utf8)
        let blocks = text.matches(of: /```sh\n([\s\S]*?)```/).map { String($0.output.1) }
        #expect(!blocks.isEmpty)
        try await ScriptedServer.withServer(ExampleScene.script) { server in
            let sandbox = try Sandbox()
            for folder in ["bin", "home"] {
                try FileManager.default.createDirectory(atPath: "\(sandbox.folder)/\(folder)", withIntermediateDirectories: true)
            }
            for program in [Program.queue, .worker] {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(sandbox.folder)/bin/\(program.rawValue)", withDestinationPath: program.path)
            }
            try sandbox.file("agent-queue.yaml", ExampleScene.configuration(server.url))
            let ending = try await sandbox.exampleShell("set -e\n" + blocks.joined(), withWorker: false, within: .seconds(500))
            #expect(ending.status == 0, "\(ending.error)")
            if let (file, word) = Self.outcomes[page] { #expect(try sandbox.read(file).contains(word), "\(ending.output)\(ending.error)") }
        }
    }
}
