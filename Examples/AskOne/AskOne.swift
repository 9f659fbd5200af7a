import AgentQueue

/// Asks one question through a queue in this folder, with the worker in the same process.
///
/// `swift run ask-one "What is the capital of Portugal?"`: by the model that a configuration names, or else the local one
/// (`scripts/local-models start`).
@main
struct AskOne {
    static func main() async throws {
        let question = CommandLine.arguments.dropFirst().first ?? "What is the capital of Portugal?"
        let queue = try JobQueue(database: "queue.db")
        let worker = Task { try await queue.work() }
        var draft = JobDraft()
        draft.prompt = question
        draft.isStreamed = true
        let job = try await queue.enqueue(draft)
        for try await part in queue.text(of: job.id) {
            switch part {
            case .piece(let text): print(text, terminator: "")
            case .restart: print("\n(once more)")
            }
        }
        print()
        worker.cancel()
        try await worker.value
        try await queue.close()
    }
}
