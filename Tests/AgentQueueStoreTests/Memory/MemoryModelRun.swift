import AgentQueueModel
import AgentQueueTestSupport
import Foundation

@testable import AgentQueueStore

/// Random sequences of everything that can be done to memories, beside plain dictionaries, and with indexes that follow. Two stores share
/// the file, as two processes do. Each sequence finds the namespaces empty and leaves them empty.
final class MemoryModelRun {
    /// Where store and model part.
    struct Mismatch: Error {
        var text: String
    }

    private let folder: String
    private let clock = TestClock()
    private let stores: [QueueStore]

    // One sequence.
    private(set) var steps: [String] = []
    private var generator = SeededGenerator(seed: 0)
    private var model = ReferenceMemories()
    /// Ids are counted on for ever.
    private var lastID: Int64 = 0
    /// Indexes that follow, at their own pace: by store and namespace.
    private var mirrors: [String: (space: Int64, index: MirrorIndex)] = [:]
    /// What was taken to be embedded, and has not come back.
    private var taken: [(id: Int64, version: Int64, change: Int, space: Int64, vector: MemoryVector)] = []

    private static let names = ["a", "b", "brought"]
    private static let words = ["apple", "pear", "plum", "fig", "lime"]
    private static let start: Int64 = 1_795_305_600_000

    init() async throws {
        folder = try Folder.make()
        let options = StoreOptions(durability: .normal, clock: clock.storeClock)
        stores = try (0..<2).map { [folder] _ in try QueueStore(path: folder + "/q.db", options: options) }
        // Few enough that their digests reach the index.
        for store in stores { try await store.write { $0.leastTail = 4 } }
    }

    func close() {
        for store in stores { store.close() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Runs one sequence.
    func run(seed: UInt64, checks: Bool) async throws {
        generator = SeededGenerator(seed: seed)
        steps = []
        model = ReferenceMemories()
        mirrors = [:]
        taken = []
        clock.wall = Self.start
        model.wall = Self.start
        for _ in 0..<random(15...30) {
            try await step()
            try compare()
        }
        if checks { try check() }
        note("the end")
        for name in Self.names { _ = try await store().memories.forgetNamespace(name) }
        clock.wall += 10_000_000
        try await store().maintenance.compactMemory()
        if checks { try check() }
    }

    // MARK: Chance

    private func random(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    private func chance(_ percent: Int) -> Bool { random(1...100) <= percent }
    private func pick<T>(_ values: [T]) -> T { values[random(0...values.count - 1)] }
    private func store() -> QueueStore { pick(stores) }
    private func note(_ text: String) { steps.append(text) }

    private func expect(_ isSo: Bool, _ text: @autoclosure () -> String) throws {
        guard isSo else { throw Mismatch(text: text()) }
    }

    private func someIDs() -> [Int64] {
        let ids = model.entries.keys.sorted()
        return ids.isEmpty || chance(5) ? [9_000_000_000] : (0..<random(1...3)).map { _ in pick(ids) }
    }

    private func step() async throws {
        switch random(1...100) {
        case ...40: try await remember()
        case ...50: try await forget()
        case ...51: try await forgetNamespace()
        case ...56: try await prune()
        case ...62: try await recall()
        case ...70: try await compact()
        case ...76: try await indexWords()
        case ...80: try await begin()
        case ...86: try await take()
        case ...91: try await add()
        case ...94: try await finish()
        default:
            let time = Int64(pick([1, 500, 5_000, 700_000]))
            note("\(time) ms pass")
            clock.wall += time
            model.wall += time
        }
    }

    // MARK: Steps

    private func text() -> String { (0..<random(1...2)).map { _ in pick(Self.words) }.joined(separator: " ") }

    private static func vector(_ model: VectorModel, _ text: String, dimension: Int) throws -> MemoryVector {
        try .of(model.target + "|" + text, dimension: dimension)
    }

    private func remember() async throws {
        let name = pick(Self.names)
        let known = model.namespaces[name]
        let isBrought = name == "brought" && known?.model?.target ?? "-" == "-"
        var vectorModel = known?.model ?? (isBrought ? VectorModel(target: "-") : .test)
        var dimension = known?.space == nil ? 3 : known?.dimension ?? 3
        if chance(3) { vectorModel = VectorModel(target: "local/other") }
        if chance(3) { dimension += 1 }
        let batch = try (0..<random(1...5)).map { _ in
            var memory = NewMemory(text())
            if isBrought, chance(20) { memory.text = "" }
            memory.key = chance(30) ? "k\(random(0...2))" : nil
            memory.metadata = chance(30) ? ["m": .integer(Int64(random(0...1)))] : nil
            memory.importance = pick([0.25, 0.5, 0.5, 0.5, 1])
            if chance(15) { memory.createdAt = model.wall - Int64(random(1...1_000)) }
            if chance(25) { memory.expiresAt = model.wall + Int64(pick([-1, 1, 400, 6_000, 800_000])) }
            if memory.text.isEmpty || chance(85) {
                let seed = isBrought ? "\(random(0...1))" : memory.text
                memory.vector = try Self.vector(vectorModel, seed, dimension: dimension)
            }
            return memory
        }
        note("remember in \(name) by \(vectorModel.target) \(dimension): \(batch.map(Self.describe))")
        let store = store()
        let known0 = try store.memories.known(batch, in: name, model: vectorModel)
        let outcomes: [StoreOutcome]
        do {
            outcomes = try await store.memories.remember(batch, in: name, model: vectorModel)
        } catch let error as StoreError where error.kind == .conflict {
            return try expect(model.refuses(batch, in: name, model: vectorModel), "refused: \(error)")
        }
        try expect(!model.refuses(batch, in: name, model: vectorModel), "not refused")
        steps[steps.count - 1] += ": \(outcomes.map { "\($0.id) \($0.outcome)" })"
        try expectKnown(known0, batch, name, vectorModel)
        let space = try store.memories.withSnapshot { try $0.namespace(named: name)?.space?.id }
        for (memory, outcome) in zip(batch, outcomes) {
            let expected = model.remember(memory, in: name, model: vectorModel, space: space, id: outcome.id)
            try expect(expected.outcome == outcome.outcome, "\(outcome), not \(expected)")
            if let id = expected.id {
                try expect(outcome.id == id, "\(outcome), not \(id)")
            } else {
                try expect(outcome.id > lastID, "the id \(outcome.id) is not new")
                lastID = outcome.id
            }
        }
    }

    private static func describe(_ memory: NewMemory) -> String {
        "'\(memory.text)' \(memory.key ?? "-") \(memory.metadata?.text ?? "-") \(memory.importance) \(memory.expiresAt ?? 0) \(memory.vector != nil)"
    }

    /// What the store said it knew, before the batch: what needs no embedding.
    private func expectKnown(_ known: [Int64?], _ batch: [NewMemory], _ name: String, _ vectorModel: VectorModel) throws {
        for (memory, id) in zip(batch, known) {
            let counts = memory.text.isEmpty || vectorModel.target == "-"
            let expected = model.ids(of: name).first { id in
                guard let entry = model.entries[id], let namespace = model.namespaces[name], let space = namespace.space else {
                    return false
                }
                guard entry.key == memory.key, entry.text == memory.text, entry.metadata == memory.metadata else { return false }
                guard memory.key != nil || entry.identity == (counts ? memory.vector : nil) else { return false }
                return namespace.model == vectorModel && entry.vectors[space] != nil && !model.isExpired(id)
            }
            try expect(id == expected, "known: \(id ?? 0), not \(expected ?? 0)")
        }
    }

    private func forget() async throws {
        let ids = someIDs()
        note("forget \(ids)")
        let expected = Set(ids.filter { model.entries[$0] != nil }).count
        let forgotten = try await store().memories.forget(ids)
        try expect(forgotten == expected, "\(forgotten) forgotten, not \(expected)")
        for id in ids { model.forget(id) }
    }

    private func forgetNamespace() async throws {
        let name = pick(Self.names)
        note("forget \(name)")
        let expected = model.ids(of: name).count
        let forgotten = try await store().memories.forgetNamespace(name)
        try expect(forgotten == expected, "\(forgotten) forgotten, not \(expected)")
        model.forgetNamespace(name)
    }

    private func prune() async throws {
        var policy = MemoryPolicy()
        if chance(30) { policy.namespaces["a"] = MemoryPolicy.Cap(rows: random(0...5)) }
        if chance(30) { policy.namespaces["b"] = MemoryPolicy.Cap(bytes: Int64(random(200...1_500))) }
        if chance(20) { policy.maxBytes = Int64(random(400...3_000)) }
        note("prune \(policy)")
        let expected = model.prune(policy)
        let whole = PrunePolicy(completed: .max / 4, cancelled: .max / 4, discarded: .max / 4, memories: policy, shrinks: false)
        let store = store()
        let prospect = try await store.maintenance.prune(whole, dryRun: true).memories
        let report = try await store.maintenance.prune(whole).memories
        try expect(prospect == expected && report == expected, "pruned \(report) (\(prospect)), not \(expected)")
    }

    private func recall() async throws {
        let ids = someIDs()
        note("recalled \(ids)")
        try await store().memories.noteRecalled(ids)
        let now = model.wall
        for id in ids { model.entries[id]?.recalledAt = now }
    }

    private func compact() async throws {
        note("compact")
        try await store().maintenance.compactMemory()
    }

    private func indexWords() async throws {
        let name = pick(Self.names)
        note("index words of \(name)")
        let store = store()
        guard let id = try store.memories.withSnapshot({ try $0.namespace(named: name)?.id }) else { return }
        try await store.memories.indexWords(of: id)
        for word in Self.words {
            let expected = model.ids(of: name).filter { id in
                !model.isExpired(id) && model.entries[id]?.text.split(separator: " ").contains(Substring(word)) ?? false
            }
            let found = try store.memories.withSnapshot { try $0.words([word.uppercased(), "\"*"], in: id, limit: 100).map(\.id).sorted() }
            try expect(found == expected, "\(word) is found in \(found), not \(expected)")
        }
    }

    // MARK: Embedding again

    private func begin() async throws {
        let name = pick(Self.names)
        let target = VectorModel(target: "local/m\(random(0...1))")
        let dimension = random(2...4)
        note("begin \(target.target) \(dimension) in \(name)")
        do {
            let space = try await store().memories.beginSpace(in: name, model: target, dimension: dimension)
            guard var namespace = model.namespaces[name] else { throw Mismatch(text: "begun in no namespace") }
            if namespace.building != nil, namespace.buildingModel == target, namespace.buildingDimension == dimension {
                return try expect(namespace.building == space.id, "another space")
            }
            try expect(namespace.model != target || namespace.dimension != dimension, "begun where it is done")
            try expect(model.ids(of: name).allSatisfy { model.entries[$0]?.text != "" }, "begun with memories without a text")
            if let building = namespace.building { for id in model.ids(of: name) { model.entries[id]?.vectors[building] = nil } }
            namespace.building = space.id
            namespace.buildingModel = target
            namespace.buildingDimension = dimension
            namespace.walkedTo = 0
            namespace.revisits = []
            model.namespaces[name] = namespace
        } catch let error as StoreError where error.kind == .notFound {
            try expect(model.namespaces[name] == nil, "\(error)")
        } catch let error as StoreError where error.kind == .conflict {
            let namespace = model.namespaces[name]
            let isDone = namespace?.model == target && namespace?.dimension == dimension
            try expect(isDone || model.ids(of: name).contains { model.entries[$0]?.text == "" }, "\(error)")
            // What was under way is given up only by what takes its place.
            let building = try store().memories.withSnapshot { try $0.namespace(named: name)?.building?.id }
            try expect(building == namespace?.building, "given up for nothing")
        }
    }

    private func underWay() -> (name: String, namespace: ReferenceMemories.Namespace)? {
        let all = model.namespaces.filter { $0.value.building != nil }.sorted { $0.key < $1.key }
        guard !all.isEmpty else { return nil }
        let one = pick(all)
        return (one.key, one.value)
    }

    private func take() async throws {
        guard let (name, namespace) = underWay(), let space = namespace.building, let target = namespace.buildingModel else { return }
        let limit = random(1...6)
        note("take \(limit) of \(name)")
        if chance(20) {
            let lacking = Set(model.ids(of: name).filter { $0 <= namespace.walkedTo && model.entries[$0]?.vectors[space] == nil })
            let count = try await store().memories.retakeMissing(in: space)
            try expect(count == lacking.subtracting(namespace.revisits).count, "\(count) are retaken")
            model.namespaces[name]?.revisits.formUnion(lacking)
        }
        let memories = try await store().write { try $0.takeForSpace(space, limit: limit) }
        let expected = model.take(name, limit: limit)
        try expect(memories.map(\.id) == expected, "taken \(memories.map(\.id)), not \(expected)")
        for memory in memories {
            let vector = try Self.vector(target, memory.text, dimension: namespace.buildingDimension)
            taken.append((memory.id, memory.version, model.entries[memory.id]?.change ?? 0, space, vector))
        }
    }

    private func add() async throws {
        guard !taken.isEmpty else { return }
        let count = random(1...taken.count)
        let batch = Array(taken.prefix(count))
        let space = pick(batch).space
        note("add \(batch.map(\.id)) to \(space)")
        if chance(80) { taken.removeFirst(count) }
        var expected = 0
        for item in batch where item.space == space && model.add(item.vector, of: item.id, change: item.change, to: space) { expected += 1 }
        let added = try await store().write { transaction in
            try transaction.add(batch.filter { $0.space == space }.map { ($0.id, $0.version, $0.vector) }, to: space)
        }
        try expect(added == expected, "\(added) added, not \(expected)")
    }

    private func finish() async throws {
        guard let (name, namespace) = underWay(), let space = namespace.building else { return }
        note("finish \(name)")
        let expected = model.finish(name)
        let isFinished = try await store().memories.finishSpace(space)
        try expect(isFinished == expected, "finished: \(isFinished)")
        if isFinished { try expect(try await store().memories.finishSpace(space), "not finished twice") }
    }

    // MARK: Comparing

    private func compare() throws {
        let store = store()
        try store.memories.withSnapshot { snapshot in
            for name in Self.names {
                let namespace = try snapshot.namespace(named: name)
                let expected = model.namespaces[name]
                try expect((namespace == nil) == (expected == nil), "namespace \(name) is \(namespace == nil ? "not " : "")there")
                guard let namespace, let expected else { continue }
                let ids = model.ids(of: name)
                try expect(
                    namespace.space?.id == expected.space && namespace.building?.id == expected.building
                        && namespace.space?.model == expected.model, "\(namespace), not \(expected)")
                try expect(
                    namespace.memories == ids.count && namespace.bytes == ids.reduce(0) { $0 + (model.entries[$1]?.bytes ?? 0) },
                    "the counts of \(name) are \(namespace.memories), \(namespace.bytes)")
                try compareRows(snapshot, ids)
                try compareIndex(snapshot, namespace, ids, mirror: "\(store === stores[0]) \(name)")
            }
        }
        let listed = try store.memories.list(in: nil, after: 0, limit: 1_000).map(\.id)
        try expect(listed == model.entries.keys.filter { !model.isExpired($0) }.sorted(), "listed \(listed)")
    }

    private func compareRows(_ snapshot: MemorySnapshot, _ ids: [Int64]) throws {
        let stored = try snapshot.memories(ids)
        for id in ids {
            guard let expected = model.entries[id], !model.isExpired(id) else {
                try expect(stored[id] == nil, "memory \(id) has expired")
                continue
            }
            guard let memory = stored[id] else { throw Mismatch(text: "memory \(id) is not there") }
            let isSame =
                memory.key == expected.key && memory.text == expected.text && memory.metadata == expected.metadata
                && memory.importance == expected.importance && memory.createdAt == expected.createdAt
                && memory.recalledAt == expected.recalledAt && memory.expiresAt == expected.expiresAt
            try expect(isSame, "memory \(id):\n  stored \(memory)\n  model  \(expected)")
        }
    }

    /// What an index holds that is made anew, and now and then one that has followed for a while.
    private func compareIndex(_ snapshot: MemorySnapshot, _ namespace: MemoryNamespace, _ ids: [Int64], mirror name: String) throws {
        guard let space = namespace.space else { return }
        var fresh = MirrorIndex()
        try fresh.follow(space, in: snapshot)
        let expected = ids.filter { model.entries[$0]?.vectors[space.id] != nil }
        try expect(fresh.entries.keys.sorted() == expected, "indexed \(fresh.entries.keys.sorted()), not \(expected)")
        for id in expected {
            guard let entry = fresh.entries[id], let memory = model.entries[id], let vector = memory.vectors[space.id] else { continue }
            let isSame =
                fresh.codes[id] == vector.codes && entry.scale == vector.scale && entry.importance == Float(memory.importance)
                && entry.createdAt == memory.createdAt && entry.expiresAt == memory.expiresAt ?? .max
            try expect(isSame, "entry of \(id): \(entry), not \(memory)")
        }
        let numbers = expected.compactMap { fresh.entries[$0]?.number }.sorted()
        try expect(try snapshot.numbers(of: ids, in: space).map(\.number) == numbers, "the numbers of memories")
        var seen = 0
        try snapshot.vectors(numbers, of: space) { index, bytes in
            seen += 1
            let id = fresh.entries.values.first { $0.number == numbers[index] }?.memoryID ?? 0
            try expect(Array(bytes) == model.entries[id]?.vectors[space.id]?.bytes, "the vector of \(id)")
        }
        try expect(seen == numbers.count, "\(seen) vectors, not \(numbers.count)")
        guard chance(50) else { return }
        var (known, index) = mirrors[name] ?? (space.id, MirrorIndex())
        if known != space.id { (known, index) = (space.id, MirrorIndex()) }
        try index.follow(space, in: snapshot)
        try expect(index == fresh, "what has followed differs: \(index.entries.keys.sorted()), not \(expected)")
        mirrors[name] = (known, index)
    }

    private func check() throws {
        let faults = try store().maintenance.check().faults
        try expect(faults.isEmpty, "\(faults)")
    }
}
