import AgentQueueTestSupport
import Foundation
import Testing

/// Every command that help, the README or a document shows works as it stands. An example that is added is run with the rest: it needs
/// nothing here unless its outcome depends on what happened before it.
@Suite(.timeLimit(.minutes(30))) struct ExampleTests {
    /// What an example needs, besides what is in the scene.
    private struct Exception {
        /// The example's beginning.
        let example: String
        /// What is run before it.
        var preparation: String?
        /// Text of the example that is replaced first: a reader would write their own there.
        var replacement: (String, String)?
        /// How it ends, if not with 0, and why that is right.
        var status: Int32 = 0
    }

    private static let digest = #"$(agent-queue cache list --limit 1 --json | sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/')"#

    private static let exceptions = [
        Exception(example: "agent-queue cache get", replacement: ("3f2a9c", digest)),
        Exception(example: "agent-queue cache delete", replacement: ("3f2a9c", digest)),
        // It ends when it is told to.
        Exception(example: "agent-queue stats --watch", replacement: ("agent-queue", "timeout 2 agent-queue"), status: 124),
        Exception(
            example: "agent-worker --concurrency 5 --processes 2", replacement: ("agent-worker", "timeout 5 agent-worker"), status: 124),
        Exception(
            example: "agent-queue serve", replacement: ("agent-queue serve", "timeout 5 agent-queue serve --listen 127.0.0.1:0"),
            status: 124),
        Exception(example: "agent-worker --concurrency 64", replacement: ("agent-worker", "timeout 5 agent-worker"), status: 124),
        Exception(example: "agent-queue keys rotate ci", preparation: "agent-queue keys create ci"),
        Exception(example: "agent-queue keys limits ci", preparation: "agent-queue keys create ci"),
        Exception(example: "agent-queue keys show ci", preparation: "agent-queue keys create ci"),
        Exception(example: "agent-queue keys revoke trial", preparation: "agent-queue keys create trial"),
        Exception(
            example: "agent-queue memory search --jsonl questions.jsonl", preparation: #"echo '{"text": "When?"}' > questions.jsonl"#),
        Exception(
            example: "agent-queue memory reembed notes",
            preparation: "printf '\\nmemory: { embedding_model: local-embeddings/another }\\n' >> agent-queue.yaml"),
        Exception(example: "agent-queue config init", preparation: "rm agent-queue.yaml"),
        Exception(
            example: "agent-queue schedule add '0 7 * * mon-fri' --name digest", preparation: "agent-queue schedule remove digest"),
        Exception(
            example: "agent-queue schedule add '0 7 * * mon-fri' 'What should I read today?' --name",
            preparation: "agent-queue schedule remove digest"),
        Exception(example: "agent-queue database backup /backups", replacement: ("/backups/", "")),
        Exception(
            example: "agent-queue database restore /backups", preparation: "mv queue-2026-12-01.db queue-monday.db",
            replacement: ("/backups/", "")),
    ]

    @Test func everyExampleWorks() async throws {
        let examples = try await Example.all()
        #expect(examples.count > 150)
        try await ExampleScene.with { scene in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, example) in examples.enumerated() {
                    if index >= 3 { try await group.next() }
                    group.addTask { try await Self.run(example, in: scene) }
                }
                try await group.waitForAll()
            }
        }
    }

    private static func run(_ example: Example, in scene: ExampleScene) async throws {
        let exception = exceptions.first { example.line.hasPrefix($0.example) }
        var line = example.line
        if let (from, to) = exception?.replacement { line = line.replacing(from, with: to) }
        if line.hasSuffix("&") { line.removeLast() }
        // What waits needs somebody who works.
        let waits = line.contains(/--wait|--stream|\bwait\b/)
        let ending = try await scene.run(line, preparation: exception?.preparation, withWorker: waits)
        #expect(ending.status == exception?.status ?? 0, "\(example)\n\(ending.error)")
    }
}
