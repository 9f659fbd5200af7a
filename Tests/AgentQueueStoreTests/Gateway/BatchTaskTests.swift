import AgentQueueModel
import Testing

@testable import AgentQueueStore

@Suite struct BatchTaskTests {
    private func batch(_ name: String, _ f: Fixture) async throws -> ClientBatch {
        let file = try await f.store.files.begin(key: 7)
        try await f.store.files.append(Array("{}\n".utf8), to: file, number: 0)
        _ = try await f.store.files.complete(file, as: NewFile(name: "input", purpose: .batch), bytes: 3)
        let new = NewClientBatch(
            publicID: name, key: 7, form: .chat, inputFile: file, attach: APIKey.hash(of: Array(name.utf8)), window: "24h",
            lifetime: 86_400_000, server: f.worker)
        return try await f.store.clientBatches.create(new).batch
    }

    /// As many batches as a look shows wait for their jobs for a day.
    @Test func batchesThatWaitTakeNoPlaceFromThoseForWhichSomethingIsToBeDone() async throws {
        try await withStore { f in
            let batches = f.store.clientBatches
            let waiting = try await batch("batch_1", f)
            #expect(try await batches.take(waiting.id, server: f.worker))
            #expect(try await batches.begin(waiting.id, lines: 1, model: "m", server: f.worker))
            let line = NewLine(line: 1, customID: "a", job: .success(NewJob.asking("hello")))
            #expect(try await batches.add([line], to: waiting.id, after: 0, server: f.worker) == false)
            try await batches.completeIngest(waiting.id, lines: 1, server: f.worker)
            #expect(try batches.tasks(limit: 1).isEmpty)
            let new = try await batch("batch_2", f)
            #expect(try batches.tasks(limit: 1).map(\.batch.id) == [new.id])
            _ = try await f.complete(f.one())
            #expect(try batches.tasks(limit: 1).map(\.step) == [.finish])
        }
    }
}
