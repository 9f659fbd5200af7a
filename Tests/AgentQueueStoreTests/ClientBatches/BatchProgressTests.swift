import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Reading a batch's input and writing its files, by one process at a time and from where the last one stopped.
@Suite struct BatchProgressTests {
    @Test func requestsAreAddedOnceWhoeverAddsThem() async throws {
        try await withStore { f in
            let batches = f.store.clientBatches
            let batch = try await f.batch(1)
            let dead = try f.deadWorker()
            #expect(try await batches.take(batch.id, server: dead))
            #expect(try await batches.begin(batch.id, lines: 4, model: "m", server: dead))
            #expect(try await batches.add(f.lines(1...2), to: batch.id, after: 0, server: dead) == false)
            // Who lives takes over from who has died, and no other then.
            #expect(try await batches.take(batch.id, server: f.worker))
            let other = try await f.store.gateway.register()
            #expect(try await !batches.take(batch.id, server: other))
            #expect(try batches.tasks().map(\.addedLine) == [2])
            #expect(try await batches.add(f.lines(3...4), to: batch.id, after: 2, server: dead) == nil)
            #expect(try await batches.add(f.lines(1...2), to: batch.id, after: 0, server: f.worker) == nil)
            #expect(try await batches.add(f.lines(3...4), to: batch.id, after: 2, server: f.worker) == false)
            try await batches.completeIngest(batch.id, lines: 4, server: f.worker)
            #expect(try f.count(of: "jobs") == 4)
            let made = try #require(try batches.find("batch_1", key: 7))
            #expect(made.state == .inProgress && made.counts.total == 4 && made.model == "m" && made.inProgressAt == f.clock.wall)
            #expect(try batches.tasks().isEmpty)
            try await f.store.gateway.unregister(other)
        }
    }

    @Test func whoHasSignedOffOrIsOfAnotherBootKeepsNoBatch() async throws {
        try await withStore { f in
            let batch = try await f.batch(1)
            let other = try await f.store.gateway.register()
            #expect(try await f.store.clientBatches.take(batch.id, server: other))
            #expect(try await !f.store.clientBatches.take(batch.id, server: f.worker))
            try await f.store.gateway.unregister(other)
            #expect(try await f.store.clientBatches.take(batch.id, server: f.worker))
            f.clock.bootID = "boot-2"
            let next = try await f.store.gateway.register()
            #expect(try await f.store.clientBatches.take(batch.id, server: next))
            try await f.store.gateway.unregister(next)
        }
    }

    @Test func wrongInputFailsTheBatch() async throws {
        try await withStore { f in
            let batch = try await f.batch(1)
            #expect(try await f.store.clientBatches.take(batch.id, server: f.worker))
            let errors: [JSONValue] = [["code": "invalid_json_line", "line": 3]]
            #expect(try await f.store.clientBatches.fail(batch.id, errors: errors, server: f.worker))
            let failed = try #require(try f.store.clientBatches.find("batch_1", key: 7))
            #expect(failed.state == .failed && failed.errors == errors && failed.endedAt == f.clock.wall)
            #expect(try f.store.clientBatches.tasks().isEmpty)
        }
    }

    @Test func anInputStaysUntilItIsRead() async throws {
        try await withStore { f in
            let batch = try await f.batch(1, lines: 1)
            #expect(try await f.store.files.delete(batch.inputFile, key: 7))
            #expect(try f.store.files.find(batch.inputFile, key: 7) == nil)
            #expect(try await f.store.maintenance.prune(PrunePolicy(completed: 1, cancelled: 1, discarded: 1)).files == 0)
            #expect(try f.store.files.piece(0, of: batch.inputFile) != nil)
            #expect(try await f.store.clientBatches.take(batch.id, server: f.worker))
            _ = try await f.store.clientBatches.add(f.lines(1...1), to: batch.id, after: 0, server: f.worker)
            try await f.store.clientBatches.completeIngest(batch.id, lines: 1, server: f.worker)
            #expect(try await f.store.maintenance.prune(PrunePolicy(completed: 1, cancelled: 1, discarded: 1)).files == 1)
            #expect(try f.store.files.piece(0, of: batch.inputFile) == nil)
        }
    }

    @Test func filesAreWrittenOnceAndInPieces() async throws {
        try await withStore { f in
            let batches = f.store.clientBatches
            let batch = try await f.filledBatch(1, lines: 3)
            for job in try await f.claim(3) { _ = try await f.complete(job) }
            #expect(try await batches.beginFinish(batch.id, server: f.worker))
            #expect(try batches.find("batch_1", key: 7)?.state == .finalizing)
            var first = BatchOutput(line: 1)
            first.output = [UInt8](repeating: 1, count: FileStore.pieceLength - 1)
            first.usage = Usage(inputTokens: 5, outputTokens: 2)
            #expect(try await batches.write(first, to: batch.id, after: 0, server: f.worker))
            // A step is repeated by one who does not know that it was committed.
            #expect(try await !batches.write(first, to: batch.id, after: 0, server: f.worker))
            #expect(try await batches.end(batch.id, after: 1, server: f.worker) == nil)
            var second = BatchOutput(line: 3)
            second.output = [UInt8](repeating: 2, count: FileStore.pieceLength + 2)
            second.errors = [3]
            #expect(try await batches.write(second, to: batch.id, after: 1, server: f.worker))
            #expect(try batches.find("batch_1", key: 7)?.outputFile == nil)
            let ended = try #require(try await batches.end(batch.id, after: 3, server: f.worker))
            #expect(ended.state == .completed && ended.usage == Usage(inputTokens: 5, outputTokens: 2))
            let (outputFile, errorFile) = (try #require(ended.outputFile), try #require(ended.errorFile))
            let output = try #require(try f.store.files.find(outputFile, key: 7))
            #expect(output.bytes == Int64(2 * FileStore.pieceLength + 1) && output.name == "batch_1_output.jsonl")
            #expect(output.purpose == .batchOutput && output.expiresAt == f.clock.wall + 30 * 86_400_000)
            #expect(try f.store.files.piece(0, of: output.id) == first.output + [2])
            #expect(try f.store.files.piece(1, of: output.id) == [UInt8](repeating: 2, count: FileStore.pieceLength))
            #expect(try f.store.files.piece(2, of: output.id) == [2])
            #expect(try f.store.files.find(errorFile, key: 7)?.bytes == 1)
            #expect(try await batches.end(batch.id, after: 3, server: f.worker) == nil)
        }
    }

    @Test func aFileOfAnthropicsBatchIsInNoList() async throws {
        try await withStore { f in
            let batch = try await f.filledBatch(1, lines: 1, form: .messages)
            _ = try await f.complete(try await f.one())
            let ended = try await f.finish(batch)
            let output = try #require(ended.outputFile)
            #expect(try f.store.files.find(output, key: 7) == nil && f.store.files.list(FileQuery(key: 7, limit: 9)).files.isEmpty)
            #expect(try f.store.files.piece(0, of: output).map { String(decoding: $0, as: UTF8.self) } == "id-1: succeeded\n")
            #expect(try f.store.files.piece(0, of: batch.inputFile) == nil)
        }
    }
}
