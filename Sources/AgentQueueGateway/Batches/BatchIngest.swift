import AgentQueueDialects
import AgentQueueModel
import AgentQueueStore

/// Reads a batch's input and adds its requests. OpenAI's are all checked before the first is added; of Anthropic's one that is wrong becomes
/// a result that says so.
///
/// The input is read piece by piece. After a crash, whoever takes the batch reads it again from the beginning and adds what is missing.
struct BatchIngest {
    private let calls: CallHandler
    private let batch: ClientBatch
    private let check: BatchLineCheck
    private var added: Int64

    /// What one transaction adds, at most.
    private static let (mostLines, mostBytes) = (100, 1 << 20)
    /// How many errors a client is told of.
    private static let mostErrors = 100

    /// - Throws: `StoreError`.
    init(_ calls: CallHandler, _ task: ClientBatchTask) throws {
        self.calls = calls
        batch = task.batch
        added = task.addedLine
        check = try BatchLineCheck(calls, task.batch, try Self.owner(of: task.batch, calls.store.keys))
    }

    /// A key that has been revoked since does not end the batch that it has begun.
    private static func owner(of batch: ClientBatch, _ keys: KeyStore) throws -> Caller {
        guard batch.key != 0 else { return .local }
        guard let key = try keys.find(batch.key) else { throw StoreError(.corrupt, "the key of the batch \(batch.publicID) is missing") }
        return Caller(key)
    }

    /// - Throws: `StoreError`, `CancellationError`.
    func run() async throws {
        if batch.state == .validating {
            guard try await validate() else { return }
        }
        var ingest = self
        try await ingest.addAll()
    }

    /// Goes through the input.
    /// - Parameter take: returns false if that was enough.
    /// - Throws: what `take` throws; `BatchLineError` if the input is wrong as a whole.
    private func readInput(_ take: (Result<BatchRequest, BatchLineError>) async throws -> Bool) async throws {
        var reader = BatchRequestReader(form: batch.form)
        var number = 0
        while let piece = try calls.store.files.piece(number, of: batch.inputFile) {
            try Task.checkCancellation()
            for line in try reader.feed(piece) {
                guard try await take(line) else { return }
            }
            number += 1
            // Reading a long file is work, and calls go first.
            await Task.yield()
        }
        for line in try reader.finish() {
            guard try await take(line) else { return }
        }
    }

    /// Checks all requests. Returns whether they are to be added.
    private func validate() async throws -> Bool {
        var errors: [BatchLineError] = []
        var ids = BatchRequestIDs()
        var lines = 0
        var model: String?
        do {
            try await readInput { line in
                lines += 1
                do throws(BatchLineError) {
                    let request = try line.get()
                    guard ids.insert(request.customID) else { throw .duplicate(request.customID, line: request.line) }
                    let name = try self.model(of: request)
                    if model == nil { model = name }
                } catch {
                    errors.append(error)
                }
                return errors.count < Self.mostErrors
            }
        } catch let error as BatchLineError {
            errors.append(error)
        }
        let (id, server) = (batch.id, calls.server)
        if errors.isEmpty { return try await calls.store.clientBatches.begin(id, lines: lines, model: model, server: server) }
        _ = try await calls.store.clientBatches.fail(id, errors: errors.map(\.json), server: server)
        return false
    }

    /// The model of a request that can become a job.
    private func model(of request: BatchRequest) throws(BatchLineError) -> String {
        do {
            return try check.job(of: request).model
        } catch let error as GatewayError {
            throw BatchLineError(error, line: request.line)
        } catch {
            throw BatchLineError("storage_unavailable", "The request could not be checked: send the batch again.", line: request.line)
        }
    }

    private mutating func addAll() async throws {
        var slice: [NewLine] = []
        var bytes = 0
        var lines = 0
        // Once the batch is being cancelled or its time is over, nothing more is asked, and so nothing is checked.
        var isOver = false
        let first = added
        do {
            var ingest = self
            try await readInput { line in
                lines += 1
                let new = try ingest.newLine(line, number: lines, isOver: isOver)
                guard new.line > first else { return true }
                slice.append(new)
                bytes += new.size
                guard slice.count == Self.mostLines || bytes >= Self.mostBytes else { return true }
                isOver = try await ingest.add(slice)
                (slice, bytes) = ([], 0)
                return true
            }
            _ = try await ingest.add(slice)
        } catch is OtherIngest {
            return
        }
        try await calls.store.clientBatches.completeIngest(batch.id, lines: lines, server: calls.server)
    }

    private func newLine(_ line: Result<BatchRequest, BatchLineError>, number: Int, isOver: Bool) throws -> NewLine {
        let request: BatchRequest
        switch line {
        case .success(let read): request = read
        case .failure(let error):
            // What is no request at all was refused before there was a batch.
            return NewLine(line: Int64(error.line ?? number), customID: "", job: .failure(error.refusal.stored))
        }
        let place = Int64(request.line)
        guard place > added, !isOver else {
            let error = GatewayError(.cancelled, "The request was not asked.")
            return NewLine(line: place, customID: request.customID, job: .failure(error.stored))
        }
        do {
            return NewLine(line: place, customID: request.customID, job: .success(try check.job(of: request).job))
        } catch let error as GatewayError {
            return NewLine(line: place, customID: request.customID, job: .failure(error.stored))
        }
    }

    /// Returns whether the requests ended at once.
    private mutating func add(_ slice: [NewLine]) async throws -> Bool {
        guard let last = slice.last else { return false }
        let result = try await calls.store.clientBatches.add(slice, to: batch.id, after: added, server: calls.server)
        guard let result else { throw OtherIngest() }
        added = last.line
        return result
    }
}

/// Another process has taken the batch, or it was removed.
private struct OtherIngest: Error {}

extension NewLine {
    /// About how much it writes.
    fileprivate var size: Int {
        guard case .success(let job) = job else { return 256 }
        return job.body.utf8.count + (job.native?.body.utf8.count ?? 0) + 256
    }
}
