import AgentQueue
import AgentQueueModel

/// Asks one question through a queue in this folder, with the worker in the same process.
///
/// `scripts/local-models start`, then `swift run embedding-example`.
@main
struct EmbeddingExample {
    static func main() async throws {
        let queue = try JobQueue(database: "queue.db")
        let worker = Task { try await queue.work() }
        let job = try await queue.enqueue("What is the capital of Portugal?")
        print(try await queue.finish(job.id).result?.text ?? "no answer")
        worker.cancel()
    }
}
