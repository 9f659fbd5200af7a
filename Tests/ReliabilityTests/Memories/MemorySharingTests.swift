import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

extension ReliabilityTests {
    /// Two processes and one file: what one has stored, replaced or forgotten is so for the other's next search.
    @Suite struct MemorySharingTests {
        @Test func whatOneStoresTheOtherFinds() async throws {
            try await withScene(.hang) { scene in
                let children = try (0..<2).map { _ in try MemoryChild("obey", in: scene) }
                var rebuilds = 0
                for round in 0..<200 {
                    let (storing, searching) = (children[round % 2], children[(round + 1) % 2])
                    let id = try await Self.store(round, 0, by: storing, "stored")
                    rebuilds += try await Self.expect("\(id) memory \(round), version 0", at: round, 0, by: searching)
                    if round % 3 == 1 {
                        // Of a memory that the other has stored; or one that is gone, whose key comes back.
                        let isGone = round % 5 == 0
                        let again = try await Self.store(round - 1, 1, by: storing, isGone ? "stored" : "updated")
                        #expect((again > id) == isGone)
                        rebuilds += try await Self.expect("memory \(round - 1), version 1", at: round - 1, 1, by: searching)
                        rebuilds += try await Self.expect("others", at: round - 1, 0, by: searching)
                    }
                    if round % 5 == 4 {
                        #expect(try await storing.ask("forget \(id)") == "1")
                        rebuilds += try await Self.expect(round == 0 ? "nothing" : "others", at: round, 0, by: searching)
                    }
                }
                // Each has read it all once, and followed from then on.
                #expect(rebuilds <= children.count)
                let census = try await MemoryCensus(scene.store)
                // 40 were forgotten, and the keys of 13 came back.
                #expect(census.rows.count == 173)
                try await census.expectIndexAgrees()
            }
        }

        private static func store(_ number: Int, _ version: Int, by child: MemoryChild, _ outcome: String) async throws -> Int64 {
            let words = try await child.ask("store \(number) \(version)").split(separator: " ")
            #expect(words.last == Substring(outcome))
            return try #require(words.first.flatMap { Int64($0) })
        }

        /// Has a child look where a memory lies. Returns 1 where it read the whole index anew.
        private static func expect(_ text: String, at number: Int, _ version: Int, by child: MemoryChild) async throws -> Int {
            let reply = try await child.ask("find \(number) \(version)")
            #expect(reply.contains(text), "\(reply)")
            return reply.contains("rebuilt=true") ? 1 : 0
        }
    }
}
