import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore
import HTTPTypes

/// Results over HTTP: the files of a batch that has ended, and before that what has ended of it.
extension BatchHandler {
    /// How many results one answer has at most, before the batch has ended.
    private static let pageLength = 1_000

    /// Results of one of OpenAI's batches: all of them, or those that have ended since a mark.
    func sendResults(_ exchange: Exchange) async throws {
        let batch = try batch(.openAI, exchange.head)
        let mark = try exchange.head.number("after", in: 0...Int64.max)
        guard batch.state.isFinal, mark == nil else { return try await sendEnded(of: batch, after: mark ?? 0, exchange) }
        try await exchange.response.begin(200, Self.lines)
        for file in [batch.outputFile, batch.errorFile].compactMap(\.self) { try await send(file, of: batch, exchange) }
        try await exchange.response.finish()
    }

    /// The results of one of Anthropic's batches.
    func sendMessageResults(_ exchange: Exchange) async throws {
        let batch = try batch(.anthropic, exchange.head)
        guard batch.state.isFinal else {
            throw GatewayError(.notFound, "The batch \(batch.publicID) has no results before it has ended: ask for it again until then.")
        }
        try await exchange.response.begin(200, Self.lines)
        if let file = batch.outputFile { try await send(file, of: batch, exchange) }
        try await exchange.response.finish()
    }

    private static var lines: HTTPFields {
        HTTPFields([("content-type", "application/x-jsonl"), ("x-content-type-options", "nosniff")])
    }

    /// Sends requests that have ended, in the order of their ends.
    private func sendEnded(of batch: ClientBatch, after mark: Int64, _ exchange: Exchange) async throws {
        let results = BatchResults(store)
        // One more than fits tells whether there are more.
        var ended = try read { try store.clientBatches.ended(batch.id, after: mark, limit: Self.pageLength + 1) }
        let hasMore = ended.count > Self.pageLength
        if hasMore { ended.removeLast() }
        var fields = Self.lines
        if hasMore || !batch.state.isFinal { fields.append(contentsOf: HTTPFields([("x-agent-queue-incomplete", "true")])) }
        fields.append(contentsOf: HTTPFields([("x-agent-queue-mark", "\(ended.last?.mark ?? mark)")]))
        try await exchange.response.begin(200, fields)
        for one in ended {
            // One whose job runs again has no result now, and gets a new mark with its next.
            guard let line = try results.line(one, of: batch) else { continue }
            try await exchange.response.write(line.bytes)
        }
        try await exchange.response.finish()
    }

    /// Sends a file piece by piece.
    private func send(_ file: Int64, of batch: ClientBatch, _ exchange: Exchange) async throws {
        guard exchange.head.method != .head else { return }
        var number = 0
        while let piece = try store.files.piece(number, of: file) {
            try await exchange.response.write(piece)
            number += 1
        }
        // A file that is removed meanwhile ends with a connection that is cut.
        guard try store.clientBatches.find(batch.publicID, key: batch.key) != nil else { throw FailedAfterHead() }
    }
}
