import AgentQueueModel
import Foundation
import Testing

/// What docs/results.md shows is run, in its order.
@Suite struct ResultsPageTests {
    @Test("Every command of the page does what it says")
    func page() async throws {
        let sandbox = try Sandbox()
        try sandbox.file(
            "questions.jsonl",
            (1...25).map { #"{"prompt": "Invoice \#($0)", "metadata": {"lang": "en"}}"# }.joined(separator: "\n"))
        let page = try String(
            contentsOf: URL(filePath: #filePath).appending(path: "../../../../docs/results.md").standardized, encoding: .utf8)
        let commands = page.matches(of: /```sh\n([\s\S]*?)```/).flatMap { $0.output.1.split(separator: "\n").map(String.init) }
        #expect(commands.count > 12)
        for command in commands {
            try #require(command.hasPrefix("agent-queue "), "\(command)")
            let ending = try await sandbox.shell("\"$AQ\" \(command.dropFirst("agent-queue ".count))")
            #expect(ending.status == 0, "\(command): \(ending.error)")
            guard command.contains("enqueue") else { continue }
            try await sandbox.work { _ in "paid" }
        }
        #expect(try sandbox.read("monday.csv").split(separator: "\n").count == 26)
        #expect(try sandbox.read("monday-output.jsonl").split(separator: "\n").count == 25)
        #expect(try await sandbox.run("show", "1", "--json").json.first?["previous_result"]?["text"] == "paid")
    }
}
