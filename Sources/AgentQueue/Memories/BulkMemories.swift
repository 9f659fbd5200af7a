import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Stores memories from JSONL in two passes over the input: ``check(progress:)`` validates every line before anything is stored, and
/// ``store(_:progress:stored:)`` embeds and stores them batch by batch. Memory use does not depend on the length of the input.
package struct BulkMemories: Sendable {
    let input: BulkInput
    let vectors: VectorFile?
    let options: BulkMemoryOptions
    let memories: Memories

    /// Makes an import.
    /// - Parameters:
    ///   - input: the lines.
    ///   - vectors: a row for each line that is not blank, in order; nil if the lines have their vectors themselves, or none.
    ///   - options: options for all lines.
    ///   - memories: where they are stored.
    package init(input: BulkInput, vectors: VectorFile? = nil, options: BulkMemoryOptions = BulkMemoryOptions(), memories: Memories) {
        self.input = input
        self.vectors = vectors
        self.options = options
        self.memories = memories
    }

    /// The first pass: validates every line, by itself and against the other lines and the existing memories.
    /// - Parameter progress: receives the number of lines read so far, about every thousand lines.
    /// - Throws: `InputError`: `line N: …` for an invalid line; `StoreError`.
    package func check(progress: ((_ lines: Int) -> Void)? = nil) async throws -> BulkMemorySurvey {
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
            throw InputError("\(vectors.name) has \(vectors.rows) rows, for \(reader.row) lines", kind: .badData)
        }
        return BulkMemorySurvey(memories: count, unembedded: unembedded, expired: reader.expired, checkedAt: context.now)
    }

    /// The second pass: stores the memories in batches of `memory.batch_size`, each in one transaction as soon as it is embedded.
    /// - Parameters:
    ///   - survey: the result of the first pass.
    ///   - stored: receives the outcomes of each batch, in the order of the lines, after it is committed.
    /// - Throws: `InputError` if the input is no longer what was checked, `ModelFailure`, `StoreError`. Batches that were committed before
    ///   stay; importing the same input again stores and pays for nothing twice.
    package func store(_ survey: BulkMemorySurvey, stored: ([StoreOutcome]) async throws -> Void) async throws {
        guard !input.hasChanged else { throw changed(nil) }
        var context = memories.context
        // A memory that had not expired when it was checked is stored, even if it has expired meanwhile.
        context.now = survey.checkedAt
        var reader = MemoryLineReader(self, context)
        let size = memories.settings.memory.batchSize
        try await memories.writer.write {
            do throws(InputError) {
                return try reader.slice(size)
            } catch {
                throw error.kind == .badData ? changed(error) : error
            }
        } stored: { _, results in
            try await stored(results)
        }
    }

    private func changed(_ error: InputError?) -> InputError {
        let reason = error.map { " (\($0.message))" } ?? ""
        return InputError("\(input.name) was changed after it was checked\(reason)", kind: .badData)
    }
}

/// Options for all lines of a file of memories.
package struct BulkMemoryOptions: Sendable {
    /// The namespace of lines that name none.
    package var namespace = NamespaceName.usual
    /// Whether all memories go to ``namespace``, whatever their lines say. Default false.
    package var overridesNamespaces = false
    /// The metadata of lines that have none.
    package var metadata: JSONValue?
    /// The importance of lines that have none.
    package var importance: Double?
    /// The expiry of lines that have none.
    package var expiry = MemoryExpiry.usual
    /// The model that made the given vectors, `provider/model`, for lines that name none; nil if they are the user's own.
    package var model: String?
    /// Whether given vectors are ignored, so that the configured model embeds every text. Default false.
    package var embedsAgain = false
    /// Whether expired memories are skipped rather than refused. Default false.
    package var skipsExpired = false

    package init() {}
}

/// The result of the first pass over a file of memories. The second pass requires it as proof that the whole file was checked.
package struct BulkMemorySurvey: Sendable, Equatable {
    /// The number of memories to store.
    package let memories: Int
    /// How many of them have no vector, so that a model must make it.
    package let unembedded: Int
    /// The number of memories that are skipped because they have expired.
    package let expired: Int
    /// Wall clock, in ms: the time by which expiry was decided.
    let checkedAt: Int64
}

/// One pass over a file of memories, which checks each line by itself.
struct MemoryLineReader {
    /// A memory and its position.
    struct Item {
        var namespace: String
        var memory: CheckedMemory
        var line: Int
    }

    private let run: BulkMemories
    private let context: MemoryContext
    private var reader: LineReader
    private var block = LineBlock()
    private var index = 0
    /// A memory that was read and did not fit into the previous slice.
    private var held: Item?
    /// The number of lines so far that are not blank, which is the number of their rows of vectors.
    private(set) var row = 0
    /// The number of memories skipped because they have expired.
    private(set) var expired = 0

    init(_ run: BulkMemories, _ context: MemoryContext) {
        self.run = run
        self.context = context
        reader = LineReader(run.input)
    }

    /// The next memory; nil at the end.
    /// - Throws: `InputError`: `line N: …`.
    mutating func next() throws(InputError) -> Item? {
        if let held {
            self.held = nil
            return held
        }
        while true {
            while index < block.lines.count {
                let place = block.lines[index]
                index += 1
                row += 1
                do throws(InputError) {
                    if let (namespace, memory) = try memory(at: place) {
                        return Item(namespace: namespace, memory: memory, line: place.number)
                    }
                    expired += 1
                } catch {
                    throw error.inLine(place.number)
                }
            }
            guard try reader.next(&block) else { return nil }
            index = 0
        }
    }

    /// The next memories to store together; nil at the end.
    /// - Throws: `InputError`: `line N: …`.
    mutating func slice(_ size: Int) throws(InputError) -> MemorySlice? {
        var slice = MemorySlice()
        var bytes = 0
        while slice.items.count < size, let item = try next() {
            bytes += item.memory.memory.text.utf8.count
            guard slice.items.isEmpty || bytes <= MemorySlice.maxBytes else {
                held = item
                break
            }
            slice.items.append((item.namespace, item.memory))
        }
        return slice.items.isEmpty ? nil : slice
    }

    /// Nil for a memory that is skipped.
    private func memory(at place: LineBlock.Line) throws(InputError) -> (namespace: String, memory: CheckedMemory)? {
        guard !place.isTooLong else { throw LineBlock.tooLong }
        let line = try block.withBytes(of: place) { (bytes) throws(InputError) in try MemoryLine(bytes) }
        let options = run.options
        let namespace = options.overridesNamespaces ? options.namespace : line.namespace ?? options.namespace
        try NamespaceName.check(namespace)
        var draft = line.draft
        draft.metadata = draft.metadata ?? options.metadata
        if !line.saysImportance, let importance = options.importance { draft.importance = importance }
        if draft.expiry == .usual { draft.expiry = options.expiry }
        if options.skipsExpired, case .at(let time) = draft.expiry, time <= context.now { return nil }
        draft.vector = try vector(of: line)
        return (namespace, try draft.checked(in: namespace, context))
    }

    private func vector(of line: MemoryLine) throws(InputError) -> MemoryDraft.VectorSource {
        let values = try values(of: line)
        if line.saysNoVector { return .none }
        guard let values, !run.options.embedsAgain else { return .model }
        guard let model = line.model ?? run.options.model, model != VectorModel.brought.target else { return .own(values) }
        guard Target(model) != nil else {
            throw InputError("model \(InvalidText.quoted(model)) is not a target (write provider/model)", kind: .badData)
        }
        let prefix = line.passagePrefix ?? run.memories.settings.passagePrefix(of: model)
        return .made(values, by: VectorModel(target: model, passagePrefix: prefix))
    }

    /// The vector of a line: its own, or that of its row.
    private func values(of line: MemoryLine) throws(InputError) -> [Float]? {
        var own: [Float]?
        if case .own(let values) = line.draft.vector { own = values }
        guard let vectors = run.vectors else { return own }
        guard own == nil else { throw InputError("the line holds a vector, and so does \(vectors.name)", kind: .badData) }
        let values = try vectors.row(row - 1)
        guard line.saysNoVector else { return values }
        guard values.allSatisfy({ $0 == 0 }) else {
            throw InputError("the line says that it has no vector, but row \(row) of \(vectors.name) holds one", kind: .badData)
        }
        return nil
    }
}
