import QueueStore
import Synchronization
import TestSupport

@testable import ResponseCache

/// A clock that stands still until a test turns it, wall clock in ms.
final class TestClock: Sendable {
    private let time = Atomic<Int64>(1_000_000)
    var now: Int64 {
        get { time.load(ordering: .relaxed) }
        set { time.store(newValue, ordering: .relaxed) }
    }
}

extension CachedReply {
    static func of(_ text: String, version: Int64 = 1, until expiry: Int64 = .max) -> CachedReply {
        CachedReply(
            reply: text, target: "local/m", inputTokens: 1, outputTokens: 2, cost: 0.5, createdAt: version, expiresAt: expiry)
    }
}

/// The digest of a number: evenly spread, and the same each time.
func digest(_ number: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: UInt64(number))
    return (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
}

extension ResponseCache {
    /// What the shards hold, counted one by one: entries and bytes.
    var audit: Freed {
        var sum = Freed()
        for shard in shards {
            shard.withState { sum.entries += Int64($0.list.count) }
            shard.withState { sum.bytes += $0.list.bytes }
        }
        return sum
    }
}
