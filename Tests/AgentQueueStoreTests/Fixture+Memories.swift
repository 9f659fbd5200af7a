import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

extension VectorModel {
    static let test = VectorModel(target: "local/e", passagePrefix: "passage: ")
}

extension Fixture {
    /// Remembers texts, each with a vector of its own that the text tells, in namespace `notes`.
    @discardableResult
    func remember(
        _ texts: [String], in namespace: String = "notes", dimension: Int = 4, _ configure: (inout NewMemory) -> Void = { _ in }
    ) async throws -> [StoreOutcome] {
        let memories = try texts.map { text in
            var memory = NewMemory(text, vector: try .of(text, dimension: dimension))
            configure(&memory)
            return memory
        }
        return try await store.memories.remember(memories, in: namespace, model: .test)
    }

    func namespace(_ name: String = "notes") throws -> MemoryNamespace {
        try #require(try store.memories.withSnapshot { try $0.namespace(named: name) })
    }

    func memory(_ id: Int64) throws -> Memory? { try store.memories.withSnapshot { try $0.memories([id])[id] } }
}

extension MemoryVector {
    /// A vector that a text tells.
    static func of(_ text: String, dimension: Int = 4) throws -> MemoryVector {
        var generator = SeededGenerator(seed: text.utf8.reduce(17) { $0 &* 31 &+ UInt64($1) })
        return try MemoryVector((0..<dimension).map { _ in Float.random(in: -1...1, using: &generator) })
    }
}

/// What an index in memory would hold of a space: it follows `changes`, as one must.
struct MirrorIndex: Equatable {
    var number: Int64 = 0
    /// By memory: the live entry.
    var entries: [Int64: MemoryEntry] = [:]
    var codes: [Int64: [UInt8]] = [:]

    /// Follows a space up to a snapshot. Returns whether it had to begin again.
    @discardableResult
    mutating func follow(_ space: MemorySpace, in snapshot: MemorySnapshot) throws -> Bool {
        if try advance(space, in: snapshot) { return false }
        self = MirrorIndex()
        #expect(try advance(space, in: snapshot))
        return true
    }

    private mutating func advance(_ space: MemorySpace, in snapshot: MemorySnapshot) throws -> Bool {
        var forgotten: [Int64: Int64] = [:]
        var last: Int64 = 0
        let begin = number
        let isDone = try snapshot.changes(of: space, after: number) { change in
            switch change {
            case .forgotten(let memory, let number):
                #expect(last == 0, "what was forgotten comes first")
                forgotten[memory] = number
                if let entry = entries[memory], entry.number < number {
                    entries[memory] = nil
                    codes[memory] = nil
                }
            case .entries(let block):
                #expect(block.codes.count == block.count * space.dimension)
                for index in 0..<block.count {
                    let entry = block.entry(index)
                    #expect(entry.number > last)
                    last = entry.number
                    guard entry.number > begin, entry.number > forgotten[entry.memoryID] ?? 0 else { continue }
                    #expect(entries[entry.memoryID] == nil, "two live entries")
                    entries[entry.memoryID] = entry
                    codes[entry.memoryID] = Array(block.codes[index * space.dimension..<(index + 1) * space.dimension])
                }
            }
        }
        if isDone { number = try snapshot.latestNumber() }
        return isDone
    }
}
