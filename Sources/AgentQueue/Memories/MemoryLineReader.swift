import JobModel
import QueueStore
import Settings

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
            throw InputError("model \(InvalidText.quoted(model)) is not a target (write provider/model)", exit: .badData)
        }
        let prefix = line.passagePrefix ?? run.memories.settings.passagePrefix(of: model)
        return .made(values, by: VectorModel(target: model, passagePrefix: prefix))
    }

    /// The numbers of a line, its own or those of its row.
    private func values(of line: MemoryLine) throws(InputError) -> [Float]? {
        var own: [Float]?
        if case .own(let values) = line.draft.vector { own = values }
        guard let vectors = run.vectors else { return own }
        guard own == nil else { throw InputError("the line holds a vector, and so does \(vectors.name)", exit: .badData) }
        let values = try vectors.row(row - 1)
        guard line.saysNoVector else { return values }
        guard values.allSatisfy({ $0 == 0 }) else {
            throw InputError("the line says that it has no vector, but row \(row) of \(vectors.name) holds one", exit: .badData)
        }
        return nil
    }
}
