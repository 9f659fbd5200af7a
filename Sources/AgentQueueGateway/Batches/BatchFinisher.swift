import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore

/// Writes the files of a batch whose requests have all ended, in the order of its input. Each step is one transaction with how far it has
/// come, so that after a crash whoever takes the batch goes on there.
struct BatchFinisher {
    private let batches: ClientBatchStore
    private let results: BatchResults
    private let batch: ClientBatch
    private let server: Int64
    private var written: Int64

    /// What one transaction writes, about: the answers of one page are read one by one.
    private static let (page, mostBytes) = (200, 1 << 20)

    init(_ store: QueueStore, _ task: ClientBatchTask, server: Int64) {
        batches = store.clientBatches
        results = BatchResults(store)
        batch = task.batch
        written = task.writtenLine
        self.server = server
    }

    /// - Throws: `StoreError`, `CancellationError`.
    func run() async throws {
        guard try await batches.beginFinish(batch.id, server: server) else { return }
        var finisher = self
        guard try await finisher.writeAll() else { return }
        _ = try await batches.end(batch.id, after: finisher.written, server: server)
    }

    /// Returns false if another process has taken the batch.
    private mutating func writeAll() async throws -> Bool {
        while true {
            try Task.checkCancellation()
            let lines = try batches.lines(of: batch.id, after: written, limit: Self.page)
            guard !lines.isEmpty else { return true }
            var output = BatchOutput(line: written)
            for line in lines {
                guard let (result, usage) = try results.result(line, of: batch) else { return false }
                if result.isError, batch.form != .messages { output.errors += result.bytes } else { output.output += result.bytes }
                output.usage.inputTokens += usage.inputTokens
                output.usage.outputTokens += usage.outputTokens
                output.line = line.line
                guard output.output.count + output.errors.count >= Self.mostBytes else { continue }
                guard try await write(output) else { return false }
                output = BatchOutput(line: written)
            }
            guard try await write(output) else { return false }
        }
    }

    private mutating func write(_ output: BatchOutput) async throws -> Bool {
        guard output.line > written else { return true }
        guard try await batches.write(output, to: batch.id, after: written, server: server) else { return false }
        written = output.line
        return true
    }
}
