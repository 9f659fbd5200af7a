import JobModel
import QueueStore
import Settings

/// Stores memories from JSONL in two passes over the input: ``check(progress:)`` validates every line before anything is stored,
/// ``store(_:progress:stored:)`` embeds and stores them, batch by batch. Memory is constant, whatever the length of the input.
public struct BulkMemories: Sendable {
    let input: BulkInput
    let vectors: VectorFile?
    let options: BulkMemoryOptions
    let memories: Memories

    /// Makes a run.
    /// - Parameters:
    ///   - input: the lines.
    ///   - vectors: a row for each line that is not blank, in their order; nil where the lines themselves hold them, or none.
    ///   - options: what holds for all lines.
    ///   - memories: where they go.
    public init(input: BulkInput, vectors: VectorFile? = nil, options: BulkMemoryOptions = BulkMemoryOptions(), memories: Memories) {
        self.input = input
        self.vectors = vectors
        self.options = options
        self.memories = memories
    }

    /// The first pass: validates every line, alone and against the others and what the namespaces hold.
    /// - Parameter progress: gets the lines read so far, about every thousand.
    /// - Throws: `InputError`: `line N: …` for a bad line; `StoreError`.
    public func check(progress: ((_ lines: Int) -> Void)? = nil) async throws -> BulkMemorySurvey {
        let context = memories.context
        var reader = MemoryLineReader(self, context)
        var agreement = VectorAgreement(space: memories.space)
        var (count, unembedded) = (0, 0)
        while let item = try reader.next() {
            do {
                try agreement.check(item.memory, in: item.namespace)
            } catch let error as InputError {
                throw error.inLine(item.line)
            }
            count += 1
            if item.memory.needsVector { unembedded += 1 }
            guard count % 1_000 == 0 else { continue }
            try Task.checkCancellation()
            progress?(item.line)
        }
        if let vectors, vectors.rows != reader.row {
            throw InputError("\(vectors.name) has \(vectors.rows) rows, for \(reader.row) lines", exit: .badData)
        }
        return BulkMemorySurvey(memories: count, unembedded: unembedded, expired: reader.expired, checkedAt: context.now)
    }

    /// The second pass: stores the memories, in batches of `memory.batch_size`, each in one transaction as soon as it is embedded.
    /// - Parameters:
    ///   - survey: what the first pass found.
    ///   - stored: told what became of the memories of each batch, in the order of their lines, once they are committed.
    /// - Throws: `InputError` if the input is no longer what was checked, `ModelFailure`, `StoreError`. What `stored` was told of by then
    ///   stays; the same input again stores nothing twice, and pays for nothing twice.
    public func store(_ survey: BulkMemorySurvey, stored: ([Remembered]) async throws -> Void) async throws {
        guard !input.hasChanged else { throw changed(nil) }
        var context = memories.context
        // What was found to be in time is stored, even where it expires meanwhile.
        context.now = survey.checkedAt
        var reader = MemoryLineReader(self, context)
        let size = memories.settings.memory.batchSize
        try await memories.writer.write {
            do throws(InputError) {
                return try reader.slice(size)
            } catch {
                throw error.exit == .badData ? changed(error) : error
            }
        } stored: { _, results in
            try await stored(results)
        }
    }

    private func changed(_ error: InputError?) -> InputError {
        let reason = error.map { " (\($0.message))" } ?? ""
        return InputError("\(input.name) was changed after it was checked\(reason)", exit: .badData)
    }
}
