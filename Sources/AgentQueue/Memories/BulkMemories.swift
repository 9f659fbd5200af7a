import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

/// Stores memories from JSONL in two passes over the input: ``check(progress:)`` validates every line before anything is stored,
/// ``store(_:progress:stored:)`` embeds and stores them, batch by batch. Memory is constant, whatever the length of the input.
package struct BulkMemories: Sendable {
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
    package init(input: BulkInput, vectors: VectorFile? = nil, options: BulkMemoryOptions = BulkMemoryOptions(), memories: Memories) {
        self.input = input
        self.vectors = vectors
        self.options = options
        self.memories = memories
    }

    /// The first pass: validates every line, alone and against the others and what the namespaces hold.
    /// - Parameter progress: gets the lines read so far, about every thousand.
    /// - Throws: `InputError`: `line N: …` for a bad line; `StoreError`.
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

    /// The second pass: stores the memories, in batches of `memory.batch_size`, each in one transaction as soon as it is embedded.
    /// - Parameters:
    ///   - survey: what the first pass found.
    ///   - stored: told what became of the memories of each batch, in the order of their lines, once they are committed.
    /// - Throws: `InputError` if the input is no longer what was checked, `ModelFailure`, `StoreError`. What `stored` was told of by then
    ///   stays; the same input again stores nothing twice, and pays for nothing twice.
    package func store(_ survey: BulkMemorySurvey, stored: ([StoreOutcome]) async throws -> Void) async throws {
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

/// What holds for all lines of a file of memories.
package struct BulkMemoryOptions: Sendable {
    /// Where memories go whose lines do not say.
    package var namespace = NamespaceName.usual
    /// Whether all go there, whatever their lines say. Default false.
    package var overridesNamespaces = false
    /// The data of memories whose lines have none.
    package var metadata: JSONValue?
    /// How much memories matter whose lines do not say.
    package var importance: Double?
    /// How long memories are kept whose lines do not say.
    package var expiry = MemoryExpiry.usual
    /// What made the vectors that are given, `provider/model`, where a line does not say; nil is the user's own.
    package var model: String?
    /// Whether vectors that are given are passed over, so that the configured model embeds every text. Default false.
    package var embedsAgain = false
    /// Whether a memory whose time has passed already is passed over, rather than refused. Default false.
    package var skipsExpired = false

    /// Nothing said.
    package init() {}
}

/// What the first pass over a file of memories found: proof that it was checked whole, which the second pass asks for.
package struct BulkMemorySurvey: Sendable, Equatable {
    /// Memories to store.
    package let memories: Int
    /// Of these, how many bring no vector, so that a model must make it.
    package let unembedded: Int
    /// Those that are passed over because their time has passed.
    package let expired: Int
    /// Wall clock, ms, by which it was decided what has expired.
    let checkedAt: Int64
}

/// One pass over a file of memories: each line as a memory that was checked alone.
struct MemoryLineReader {
    /// A memory and where it stands.
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
    /// A memory that was read and did not fit into the slice before.
    private var held: Item?
    /// Lines so far that are not blank, which is how many rows of vectors belong to them.
    private(set) var row = 0
    /// Memories passed over because their time has passed.
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

    /// The next memories, to be stored together; nil at the end.
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

    /// Nil for a memory that is passed over.
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

    /// The numbers of a line, its own or those of its row.
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
