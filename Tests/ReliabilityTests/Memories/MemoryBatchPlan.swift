import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport

/// What a child process does with a batch of memories, which its number says: so that a test knows afterwards what there must be.
struct MemoryBatchPlan: Sendable {
    /// What kind of change it is.
    enum Kind: Sendable {
        /// New memories.
        case new
        /// New ones that have expired as soon as they are there.
        case fleeting
        /// The next version of memories with keys, the same ones each time.
        case replacement
        /// An earlier batch of new ones is forgotten.
        case forgetting
    }

    let number: Int

    static let replaced = 40

    var kind: Kind { [.new, .new, .replacement, .new, .forgetting, .fleeting][number % 6] }

    /// The batch that it forgets.
    var forgets: Int? { kind == .forgetting ? number - 3 : nil }

    /// How many memories it has.
    var count: Int {
        var generator = SeededGenerator(seed: UInt64(number))
        return kind == .replacement ? Self.replaced : Int.random(in: 1...60, using: &generator)
    }

    /// What it stores.
    func memories(now: Int64) throws -> [NewMemory] {
        try (0..<count).map { place in
            if kind == .replacement { return try NumberedMemory(number: place, version: number).new(isKeyed: true) }
            var memory = try NumberedMemory(number: 1_000 * number + place + 1_000).new(isKeyed: false)
            if kind == .fleeting { memory.expiresAt = now + 1 }
            return memory
        }
    }

    /// The batch of a memory that it stored; nil where it has a key.
    static func batch(of memory: Memory) -> Int? {
        guard memory.key == nil, case .integer(let number)? = memory.metadata?["number"] else { return nil }
        return Int(number) / 1_000 - 1
    }
}

/// A memory that is known by a number and a version: two processes agree on its text and its vector without a word.
struct NumberedMemory: Sendable, Hashable {
    var number: Int
    var version = 0

    static let dimension = 48
    /// The vectors are nobody's: the tests bring them.
    static let model = VectorModel(target: "-")

    var key: String { "k\(number)" }
    var text: String { "memory \(number), version \(version)" }

    /// A direction of its own: no two are nearer than a right angle, give or take.
    var vector: [Float] {
        var generator = SeededGenerator(seed: UInt64(number) << 20 | UInt64(version))
        return (0..<Self.dimension).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    /// As it is stored.
    /// - Parameter isKeyed: whether the next version takes its place.
    func new(isKeyed: Bool) throws -> NewMemory {
        NewMemory(
            text, key: isKeyed ? key : nil, metadata: ["number": .integer(Int64(number)), "version": .integer(Int64(version))],
            vector: try MemoryVector(vector))
    }
}
