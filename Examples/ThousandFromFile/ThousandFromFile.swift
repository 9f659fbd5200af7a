import AgentQueue
import Foundation

/// Asks a thousand questions of a file, and shows how far they are.
///
/// `swift run thousand-from-file questions.jsonl` reads one JSON object a line, such as `{"prompt": "What is 2 + 2?", "max_tokens": 8}`;
/// without a file it makes one. Run it again after a crash: it goes on where it stopped, and pays for nothing twice.
@main
struct ThousandFromFile {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let file = try arguments.first ?? sample(lines: 1_000)
        let queue = try JobQueue(database: "queue.db", settings: ["worker.concurrency": "8"])
        let added = try await queue.enqueue(contentsOf: file, named: file, batch: file) { done, total in
            print("checked and added: \(done) of \(total) lines")
        }
        print("\(added) jobs added now")
        let worker = Task {
            try await queue.work { event in
                if let message = event.message { print("job \(event.job), attempt \(event.attempt): \(message)") }
            }
        }
        for try await progress in queue.progress(ofBatch: file) {
            print("\(progress.ended) of \(progress.jobs) done, \(progress.discarded) failed")
        }
        worker.cancel()
        try await worker.value
        let statistics = try queue.statistics()
        let cost = statistics.cost.map { "\($0) US dollars" } ?? "cost unknown"
        print("tokens: \(statistics.usage.inputTokens) in, \(statistics.usage.outputTokens) out; \(cost)")
        for job in try queue.jobs(JobFilter(states: [.completed], batch: file), limit: 3) {
            print("\(job.id): \(job.result?.text ?? "")")
        }
        try await queue.close()
    }

    /// Writes a file of questions into this folder.
    private static func sample(lines: Int) throws -> String {
        let text = (1...lines).map { #"{"prompt": "What is \#($0) + \#($0)? Answer with the number.", "max_tokens": 8}"# }
        try text.joined(separator: "\n").write(toFile: "questions.jsonl", atomically: true, encoding: .utf8)
        return "questions.jsonl"
    }
}
