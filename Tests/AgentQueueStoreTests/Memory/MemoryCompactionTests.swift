import AgentQueueModel
import AgentQueueTestSupport
import Testing

@testable import AgentQueueStore

/// Blocks that become fewer, and dead entries that go.
@Suite struct MemoryCompactionTests {
    private static func blocks(_ counts: [(entries: Int, dead: Int)]) -> [BlockSummary] {
        var id: Int64 = 1
        return counts.map { entries, dead in
            defer { id += Int64(entries) }
            return BlockSummary(id: id, last: id + Int64(entries) - 1, entries: entries, dead: dead)
        }
    }

    @Test(
        arguments: [
            ([], []),
            ([(1, 0)], []),
            ([(1, 0), (1, 0), (1, 0)], []),
            ([(1, 0), (1, 0), (1, 0), (1, 0)], [0..<4]),
            // Blocks of batches stay as they are.
            ([(100, 0), (100, 0), (100, 0), (100, 0), (100, 0)], []),
            // A large one takes no part until the small ones are as large.
            ([(200, 0), (1, 0), (1, 0), (1, 0), (1, 0), (1, 0)], [1..<6]),
            ([(60, 0), (20, 0), (20, 0), (20, 0)], [0..<4]),
            // A quarter of dead is worth it, and leaves the neighbours as they are.
            ([(100, 24)], []),
            ([(100, 25)], [0..<1]),
            ([(200, 0), (100, 25), (200, 0)], [1..<2]),
            ([(256, 0), (256, 256), (256, 0)], [1..<2]),
            ([(100, 0), (100, 50), (256, 0)], [1..<2]),
            // Many that are all dead go by twos.
            (Array(repeating: (256, 256), count: 5), [0..<2, 2..<4, 4..<5]),
            ([(200, 100), (20, 0), (100, 50), (20, 0)], [0..<3]),
            // One after the other.
            (Array(repeating: (64, 0), count: 9), [0..<4, 4..<8]),
        ] as [([(Int, Int)], [Range<Int>])])
    func neighboursThatBecomeOne(_ counts: [(Int, Int)], _ expected: [Range<Int>]) {
        let groups = BlockSummary.groups(of: Self.blocks(counts.map { (entries: $0.0, dead: $0.1) }), capacity: 256)
        #expect(groups.map { $0.startIndex..<$0.endIndex } == expected)
    }

    @Test func theGroupsNeverOverlapAndNeverExceedTheCapacity() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<2_000 {
            let capacity = Int.random(in: 1...256, using: &generator)
            let counts = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                let entries = Int.random(in: 1...capacity, using: &generator)
                return (entries: entries, dead: Bool.random(using: &generator) ? 0 : Int.random(in: 0...entries, using: &generator))
            }
            let groups = BlockSummary.groups(of: Self.blocks(counts), capacity: capacity)
            var end = 0
            for group in groups {
                #expect(group.startIndex >= end && !group.isEmpty)
                end = group.endIndex
                #expect(group.reduce(0) { $0 + $1.live } <= capacity)
                #expect(group.reduce(0) { $0 + $1.entries } <= 2 * capacity)
            }
            // Nothing with a quarter of dead entries is left.
            let covered = Set(groups.flatMap { $0.startIndex..<$0.endIndex })
            for (index, count) in counts.enumerated() where count.dead * 4 >= count.entries { #expect(covered.contains(index)) }
        }
    }

    private func blocks(_ f: Fixture) throws -> [BlockSummary] {
        try f.store.memories.withSnapshot { snapshot in
            try snapshot.namespace(named: "notes")?.space.map { try snapshot.blocks(of: $0) } ?? []
        }
    }

    private func follow(_ f: Fixture, _ mirror: inout MirrorIndex) throws -> Bool {
        try f.store.memories.withSnapshot { snapshot in
            guard let space = try snapshot.namespace(named: "notes")?.space else { return false }
            return try mirror.follow(space, in: snapshot)
        }
    }

    @Test func manySmallBecomeOneLarge() async throws {
        try await withStore(durability: .normal) { f in
            for number in 0..<300 { try await f.remember(["text \(number)"]) }
            var mirror = MirrorIndex()
            _ = try follow(f, &mirror)
            #expect(try blocks(f).count == 300)
            try await f.store.maintenance.compactMemory()
            #expect(try blocks(f).map(\.entries) == [256, 44])
            var fresh = MirrorIndex()
            _ = try follow(f, &fresh)
            #expect(fresh == mirror)
            #expect(try f.store.maintenance.check().faults == [])
            // What has followed finds nothing new, and goes on where it was.
            #expect(try !follow(f, &mirror))
            #expect(fresh == mirror)
            try await f.remember(["more"])
            #expect(try !follow(f, &mirror))
            #expect(mirror.entries.count == 301)
            try f.store.memories.withSnapshot { snapshot in
                let space = try #require(try snapshot.namespace(named: "notes")?.space)
                let numbers = mirror.entries.values.map(\.number).sorted()
                let memories = Dictionary(uniqueKeysWithValues: mirror.entries.values.map { ($0.number, $0.memoryID) })
                var seen = 0
                try snapshot.vectors(numbers, of: space) { index, bytes in
                    seen += 1
                    let text = memories[numbers[index]] == 301 ? "more" : "text \((memories[numbers[index]] ?? 0) - 1)"
                    let vector = try MemoryVector.of(text)
                    #expect(Array(bytes) == vector.bytes)
                }
                #expect(seen == 301)
            }
        }
    }

    @Test func theDeadGoAndAreForgottenAfterAWhile() async throws {
        try await withStore { f in
            try await f.remember((0..<100).map { "text \($0)" })
            var mirror = MirrorIndex()
            _ = try follow(f, &mirror)
            var late = mirror
            #expect(try await f.store.memories.forget(Array(1...24)) == 24)
            try await f.store.maintenance.compactMemory()
            #expect(try blocks(f).map(\.dead) == [24], "not worth it yet")
            try await f.remember(["text 99"]) { $0.importance = 1 }
            try await f.store.maintenance.compactMemory()
            #expect(try blocks(f).map { [$0.entries, $0.dead] } == [[75, 0], [1, 0]])
            #expect(try f.count(of: "memory_changes") == 25)
            #expect(try !follow(f, &mirror), "what died is still told")
            #expect(mirror.entries.count == 76)
            f.clock.wall += 600_000
            try await f.store.maintenance.compactMemory()
            #expect(try f.count(of: "memory_changes") == 25)
            f.clock.wall += 1
            try await f.store.maintenance.compactMemory()
            #expect(try f.count(of: "memory_changes") == 0)
            #expect(try !follow(f, &mirror), "it had followed")
            #expect(try follow(f, &late), "it begins again")
            #expect(late == mirror)
        }
    }

    /// Entries die, and others compact, between the decision and the transaction: nothing is lost, and what died stays dead.
    @Test func compactionBesideEverythingElse() async throws {
        try await withStore(durability: .normal) { f in
            let other = try f.another()
            defer { other.close() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<150 {
                        try await f.remember(["text \(number)"]) { $0.key = "k\(number % 40)" }
                        if number % 7 == 0 { _ = try await f.store.memories.forget([Int64(number % 40)]) }
                    }
                }
                for store in [f.store, other] {
                    group.addTask { for _ in 0..<60 { try await store.maintenance.compactMemory() } }
                }
                try await group.waitForAll()
            }
            #expect(try f.store.maintenance.check().faults == [])
            var mirror = MirrorIndex()
            _ = try follow(f, &mirror)
            let ids = try f.store.memories.list(in: "notes", after: 0, limit: 1_000).map(\.id)
            #expect(mirror.entries.keys.sorted() == ids)
        }
    }
}
