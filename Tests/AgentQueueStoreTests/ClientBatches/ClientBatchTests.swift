import AgentQueueModel
import Testing

@testable import AgentQueueStore

/// Batches of clients: making, cancelling and removing them.
@Suite struct ClientBatchTests {
    @Test func aRetryGetsTheBatchThatIsThere() async throws {
        try await withStore { f in
            let input = try await f.inputFile()
            let first = try await f.store.clientBatches.create(f.newBatch("batch_1", input))
            #expect(!first.isAttached && first.batch.state == .validating && first.batch.counts.total == 0)
            try await f.store.clientBatches.answered(first.batch.id)
            let other = try await f.store.clientBatches.create(f.newBatch("batch_2", input))
            #expect(!other.isAttached)
            var retry = f.newBatch("batch_3", input)
            retry.isRetry = true
            let again = try await f.store.clientBatches.create(retry)
            #expect(again.isAttached && again.batch.publicID == "batch_2")
            retry.key = 8
            retry.attach = APIKey.hash(of: [8])
            let stranger = await storeError { _ = try await f.store.clientBatches.create(retry) }
            #expect(stranger?.kind == .notFound)
        }
    }

    @Test func whatNoClientWasToldOfIsFoundAfterItsProcessDied() async throws {
        try await withStore { f in
            let input = try await f.inputFile()
            let dead = try f.deadWorker()
            var new = f.newBatch("batch_1", input)
            new.server = dead
            let lost = try await f.store.clientBatches.create(new)
            let found = try await f.store.clientBatches.create(f.newBatch("batch_2", input))
            #expect(found.isAttached && found.batch.id == lost.batch.id)
        }
    }

    @Test func anIdempotencyKeyNamesOneBatch() async throws {
        try await withStore { f in
            let input = try await f.inputFile()
            var new = f.newBatch("batch_1", input)
            new.idempotencyKey = "k"
            let first = try await f.store.clientBatches.create(new)
            new.publicID = "batch_2"
            #expect(try await f.store.clientBatches.create(new).batch.id == first.batch.id)
            new.attach = APIKey.hash(of: [1])
            let another = new
            await #expect(throws: IdempotencyConflict(job: first.batch.id)) { try await f.store.clientBatches.create(another) }
        }
    }

    @Test func listsAreWalkedByIdAndShowOneFlavourOfOneKey() async throws {
        try await withStore { f in
            for number in 1...5 { try await f.batch(number, form: number == 3 ? .messages : .chat) }
            try await f.batch(6, key: 8)
            let page = try f.store.clientBatches.list(key: 7, isAnthropic: false, limit: 2)
            #expect(page.batches.map(\.publicID) == ["batch_5", "batch_4"] && page.hasMore)
            let rest = try f.store.clientBatches.list(key: 7, isAnthropic: false, limit: 2, after: page.batches.last?.id)
            #expect(rest.batches.map(\.publicID) == ["batch_2", "batch_1"] && !rest.hasMore)
            let others = try f.store.clientBatches.list(key: 7, isAnthropic: true, limit: 9, isNewestFirst: false)
            #expect(others.batches.map(\.publicID) == ["batch_3"] && !others.hasMore)
            #expect(try f.store.clientBatches.find("batch_6", key: 7) == nil)
        }
    }

    @Test func whatIsNotCheckedYetIsCancelledAtOnce() async throws {
        try await withStore { f in
            let batch = try await f.batch(1)
            let cancelled = try #require(try await f.store.clientBatches.cancel("batch_1", key: 7))
            #expect(cancelled.state == .cancelled && cancelled.endedAt == f.clock.wall && cancelled.cancellingAt == f.clock.wall)
            #expect(try await f.store.clientBatches.cancel("batch_1", key: 7) == cancelled)
            #expect(try await f.store.clientBatches.cancel("batch_1", key: 8) == nil)
            #expect(try await !f.store.clientBatches.begin(batch.id, lines: 1, model: nil, server: f.worker))
            #expect(try f.store.clientBatches.tasks().isEmpty)
        }
    }

    @Test func cancellingEndsWhatWaitsAndLetsWhatRunsFinish() async throws {
        try await withStore { f in
            let batch = try await f.filledBatch(1, lines: 3)
            let running = try await f.one()
            #expect(try await f.store.clientBatches.cancel("batch_1", key: 7)?.state == .cancelling)
            #expect(try f.store.clientBatches.tasks().map(\.step) == [.cancel])
            #expect(try await f.store.clientBatches.cancelJobs(of: batch.id) == 2)
            #expect(try await f.store.clientBatches.cancelJobs(of: batch.id) == 0)
            #expect(try f.state(running.id) == .running && f.job(running.id).cancelRequestedAt == nil)
            _ = try await f.complete(running)
            let ended = try #require(try f.store.clientBatches.find("batch_1", key: 7))
            #expect(ended.counts.succeeded == 1 && ended.counts.cancelled == 2 && ended.outputFile == nil)
            #expect(try f.store.clientBatches.tasks().map(\.step) == [.finish])
            #expect(try await f.finish(batch).state == .cancelled)
        }
    }

    @Test func whatIsAddedWhileItIsCancelledBecomesNoJob() async throws {
        try await withStore { f in
            let batch = try await f.batch(1, lines: 4)
            #expect(try await f.store.clientBatches.take(batch.id, server: f.worker))
            #expect(try await f.store.clientBatches.add(f.lines(1...2), to: batch.id, after: 0, server: f.worker) == false)
            _ = try await f.store.clientBatches.cancel("batch_1", key: 7)
            #expect(try await f.store.clientBatches.add(f.lines(3...4), to: batch.id, after: 2, server: f.worker) == true)
            try await f.store.clientBatches.completeIngest(batch.id, lines: 4, server: f.worker)
            #expect(try f.count(of: "jobs") == 2)
            while try await f.store.clientBatches.cancelJobs(of: batch.id) > 0 {}
            let ended = try f.store.clientBatches.ended(batch.id, after: 0, limit: 9)
            #expect(ended.map(\.line) == [3, 4, 1, 2] && ended.map(\.mark) == [1, 2, 3, 4])
            #expect(ended.allSatisfy { $0.outcome == .cancelled })
        }
    }

    @Test func onlyWhatHasEndedIsRemoved() async throws {
        try await withStore { f in
            let batch = try await f.filledBatch(1, lines: 2, form: .messages)
            let early = await storeError { _ = try await f.store.clientBatches.delete("batch_1", key: 7) }
            #expect(early?.kind == .conflict)
            for job in try await f.claim(2) { _ = try await f.complete(job) }
            let ended = try await f.finish(batch)
            let output = try #require(ended.outputFile)
            #expect(try await f.store.clientBatches.delete("batch_1", key: 7))
            #expect(try await !f.store.clientBatches.delete("batch_1", key: 7))
            #expect(try f.count(of: "client_lines") == 0)
            #expect(try await f.store.maintenance.prune(PrunePolicy(completed: 1_000, cancelled: 1_000, discarded: 1_000)).files > 0)
            #expect(try f.store.files.piece(0, of: output) == nil)
        }
    }
}

extension Fixture {
    /// A complete input file of a key's.
    func inputFile(key: Int64 = 7, _ purpose: FilePurpose = .batch) async throws -> Int64 {
        let id = try await store.files.begin(key: key)
        try await store.files.append([0x7B], to: id, number: 0)
        return try await store.files.complete(id, as: NewFile(name: "in", purpose: purpose), bytes: 1).id
    }

    func newBatch(_ name: String, _ input: Int64, key: Int64 = 7, form: RequestForm = .chat) -> NewClientBatch {
        NewClientBatch(
            publicID: name, key: key, form: form, inputFile: input, attach: APIKey.hash(of: Array("\(key) \(input)".utf8)), window: "24h",
            lifetime: 86_400_000, server: worker)
    }

    /// Makes a batch, whose requests have been counted if `lines` are given.
    @discardableResult
    func batch(_ number: Int, key: Int64 = 7, form: RequestForm = .chat, lines: Int? = nil) async throws -> ClientBatch {
        let input = try await inputFile(key: key, form == .messages ? .messageBatch : .batch)
        var new = newBatch("batch_\(number)", input, key: key, form: form)
        new.lines = lines
        return try await store.clientBatches.create(new).batch
    }

    func lines(_ numbers: ClosedRange<Int>, _ configure: (inout NewJob) -> Void = { _ in }) -> [NewLine] {
        numbers.map { number in
            var job = NewJob.asking("line \(number)")
            job.useCache = false
            configure(&job)
            return NewLine(line: Int64(number), customID: "id-\(number)", job: .success(job))
        }
    }

    /// Makes a batch whose requests are all added.
    func filledBatch(
        _ number: Int, lines: Int, form: RequestForm = .chat, _ configure: (inout NewJob) -> Void = { _ in }
    ) async throws -> ClientBatch {
        let batch = try await batch(number, form: form, lines: lines)
        #expect(try await store.clientBatches.take(batch.id, server: worker))
        _ = try await store.clientBatches.add(self.lines(1...lines, configure), to: batch.id, after: 0, server: worker)
        try await store.clientBatches.completeIngest(batch.id, lines: lines, server: worker)
        return batch
    }

    /// Writes one line for each request, `custom id: outcome`, and ends the batch.
    @discardableResult
    func finish(_ batch: ClientBatch) async throws -> ClientBatch {
        #expect(try await store.clientBatches.take(batch.id, server: worker))
        #expect(try await store.clientBatches.beginFinish(batch.id, server: worker))
        var written: Int64 = 0
        for line in try store.clientBatches.lines(of: batch.id, after: 0, limit: 1_000) {
            var output = BatchOutput(line: line.line)
            output.output = Array("\(line.customID): \(line.outcome.rawValue)\n".utf8)
            #expect(try await store.clientBatches.write(output, to: batch.id, after: written, server: worker))
            written = line.line
        }
        return try #require(try await store.clientBatches.end(batch.id, after: written, server: worker))
    }
}
