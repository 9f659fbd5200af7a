import JobModel
import QueueStore
import TestSupport

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
