import AgentQueueModel

@testable import AgentQueueStore

/// What the store's memories must be, in plain dictionaries.
struct ReferenceMemories {
    struct Entry: Equatable {
        var namespace: String
        var key: String?
        var text: String
        var metadata: JSONValue?
        var importance: Double
        var createdAt: Int64
        var recalledAt: Int64?
        var expiresAt: Int64?
        /// By space.
        var vectors: [Int64: MemoryVector] = [:]
        var bytes: Int64 = 0
        /// The vector that is part of what it is.
        var identity: MemoryVector?
        var isIndexed = false
        /// Changes with everything that makes jobs for it stale.
        var change = 0
    }

    struct Namespace {
        var model: VectorModel?
        var space: Int64?
        var dimension = 0
        var building: Int64?
        var buildingModel: VectorModel?
        var buildingDimension = 0
        var walkedTo: Int64 = 0
        var revisits: Set<Int64> = []
    }

    var wall: Int64 = 0
    var entries: [Int64: Entry] = [:]
    var namespaces: [String: Namespace] = [:]
    private var changes = 0

    func ids(of namespace: String) -> [Int64] { entries.filter { $0.value.namespace == namespace }.keys.sorted() }

    func isExpired(_ id: Int64) -> Bool { entries[id]?.expiresAt.map { $0 <= wall } ?? false }

    // MARK: Remembering

    /// Whether the whole batch is refused.
    func refuses(_ batch: [NewMemory], in name: String, model: VectorModel) -> Bool {
        guard let namespace = namespaces[name] else { return false }
        if namespace.building != nil, batch.contains(where: \.text.isEmpty) { return true }
        guard namespace.space != nil, let vector = batch.compactMap(\.vector).first else { return false }
        return namespace.model != model || namespace.dimension != vector.dimension
    }

    /// Takes in one, whose id and outcome the store tells. Returns what they should have been; an id of nil is a new one.
    mutating func remember(_ memory: NewMemory, in name: String, model: VectorModel, space: Int64?, id new: Int64)
        -> (id: Int64?, outcome: StoreOutcome.Outcome)
    {
        var namespace = namespaces[name] ?? Namespace()
        defer { namespaces[name] = namespace }
        if let vector = memory.vector, namespace.space == nil {
            namespace.space = space
            namespace.model = model
            namespace.dimension = vector.dimension
        }
        let counts = memory.text.isEmpty || model.target == "-"
        let identity = counts ? memory.vector : nil
        for id in ids(of: name) {
            guard let known = entries[id], known.key == memory.key else { continue }
            let holds = known.text == memory.text && known.metadata == memory.metadata
            if memory.key == nil, !holds || known.identity != identity { continue }
            guard !isExpired(id) else {
                forget(id)
                namespace.revisits.remove(id)
                continue
            }
            let old = namespace.space.flatMap { known.vectors[$0] }
            let agrees = !counts || memory.vector == nil || old == nil || old == memory.vector
            if holds, agrees {
                var renewed = known
                renewed.importance = memory.importance
                if memory.key != nil {
                    renewed.expiresAt = memory.expiresAt
                } else if let expiresAt = known.expiresAt {
                    renewed.expiresAt = memory.expiresAt.map { max($0, expiresAt) }
                }
                if let vector = memory.vector, old == nil, let space = namespace.space { renewed.vectors[space] = vector }
                guard renewed != known else { return (id, .duplicate) }
                change(id, to: renewed, keepsText: true, &namespace)
                return (id, .duplicate)
            }
            var renewed = known
            let keepsText = known.text == memory.text
            renewed.text = memory.text
            renewed.metadata = memory.metadata
            renewed.importance = memory.importance
            renewed.createdAt = memory.createdAt ?? wall
            renewed.expiresAt = memory.expiresAt
            renewed.recalledAt = nil
            if !keepsText { renewed.vectors = [:] }
            if let vector = memory.vector, let space = namespace.space { renewed.vectors[space] = vector }
            change(id, to: renewed, keepsText: keepsText, &namespace)
            return (id, .updated)
        }
        var entry = Entry(
            namespace: name, key: memory.key, text: memory.text, metadata: memory.metadata, importance: memory.importance,
            createdAt: memory.createdAt ?? wall, expiresAt: memory.expiresAt)
        if let vector = memory.vector, let space = namespace.space { entry.vectors[space] = vector }
        entry.identity = identity
        entry.bytes = bytes(entry, memory.vector?.dimension ?? 0)
        changes += 1
        entry.change = changes
        entries[new] = entry
        return (nil, .stored)
    }

    private mutating func change(_ id: Int64, to renewed: Entry, keepsText: Bool, _ namespace: inout Namespace) {
        var renewed = renewed
        // What lies in other spaces than these two is searched no more.
        renewed.vectors = renewed.vectors.filter { $0.key == namespace.space || $0.key == namespace.building }
        var dimension = namespace.space.flatMap { renewed.vectors[$0] }?.dimension ?? 0
        if let building = namespace.building {
            if let vector = renewed.vectors[building] {
                dimension = vector.dimension
            } else if id <= namespace.walkedTo {
                namespace.revisits.insert(id)
            }
        }
        renewed.bytes = bytes(renewed, dimension)
        changes += 1
        renewed.change = changes
        entries[id] = renewed
    }

    func bytes(_ entry: Entry, _ dimension: Int) -> Int64 {
        Int64(entry.text.utf8.count + (entry.metadata?.text.utf8.count ?? 0) + (entry.key?.utf8.count ?? 0) + dimension * 5 + 200)
    }

    // MARK: Forgetting

    mutating func forget(_ id: Int64) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        namespaces[entry.namespace]?.revisits.remove(id)
    }

    mutating func forgetNamespace(_ name: String) {
        for id in ids(of: name) { entries[id] = nil }
        namespaces[name] = nil
    }

    /// Returns how many go.
    mutating func prune(_ policy: MemoryPolicy) -> Int {
        let before = entries.count
        for id in entries.keys where isExpired(id) { forget(id) }
        for (name, cap) in policy.namespaces {
            evict {
                $0.namespace == name
            } while: {
                $0.count > cap.rows ?? .max || $0.reduce(0) { $0 + $1.bytes } > cap.bytes ?? .max
            }
        }
        evict { _ in
            true
        } while: {
            $0.reduce(0) { $0 + $1.bytes } > policy.maxBytes ?? .max
        }
        return before - entries.count
    }

    private mutating func evict(_ isMeant: (Entry) -> Bool, while isTooMuch: ([Entry]) -> Bool) {
        while true {
            let here = entries.filter { isMeant($0.value) }
            guard isTooMuch(Array(here.values)) else { return }
            let order = { (one: (key: Int64, value: Entry), other: (key: Int64, value: Entry)) in
                (one.value.importance, one.value.recalledAt ?? one.value.createdAt, one.key)
                    < (other.value.importance, other.value.recalledAt ?? other.value.createdAt, other.key)
            }
            guard let least = here.min(by: order) else { return }
            forget(least.key)
        }
    }

    // MARK: Embedding again

    mutating func take(_ name: String, limit: Int) -> [Int64] {
        guard var namespace = namespaces[name] else { return [] }
        while true {
            let again = Array(namespace.revisits.sorted().prefix(limit))
            namespace.revisits.subtract(again)
            let next = Array(ids(of: name).filter { $0 > namespace.walkedTo }.prefix(limit - again.count))
            if let last = next.last { namespace.walkedTo = last }
            namespaces[name] = namespace
            let taken = again + next
            let expired = taken.filter(isExpired)
            for id in expired { forget(id) }
            if taken.count > expired.count || taken.isEmpty { return taken.filter { !expired.contains($0) } }
        }
    }

    /// Whether a vector finds its place.
    mutating func add(_ vector: MemoryVector, of id: Int64, change: Int, to space: Int64) -> Bool {
        guard var entry = entries[id], entry.change == change, let namespace = namespaces[entry.namespace] else { return false }
        guard namespace.building == space, entry.vectors[space] == nil else { return false }
        entry.vectors[space] = vector
        entry.bytes = bytes(entry, vector.dimension)
        entries[id] = entry
        return true
    }

    mutating func finish(_ name: String) -> Bool {
        guard var namespace = namespaces[name], let building = namespace.building else { return false }
        guard ids(of: name).allSatisfy({ entries[$0]?.vectors[building] != nil }) else { return false }
        namespace.space = building
        namespace.model = namespace.buildingModel
        namespace.dimension = namespace.buildingDimension
        namespace.building = nil
        namespaces[name] = namespace
        return true
    }
}
