import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import AgentQueueTestSupport
import Testing

extension ReliabilityTests {
    /// Processes that store, replace, forget, merge and prune memories are killed at any moment: each batch is there as a whole or not at
    /// all, what was acknowledged stays, and the index agrees with the rows. (Which moments those are is the machine's doing.)
    @Suite struct MemoryKillTests {
        private static let kills = 25

        @Test func eachBatchIsThereWholeOrNotAtAll() async throws {
            try await withScene(.hang) { scene in
                // Follows all the while what others do, and how they end.
                let search = MemorySearch(scene.store)
                var history = History()
                for kill in 0..<Self.kills {
                    let churn = try MemoryChild("churn", in: scene, [MemoryProcess.startName: "\(history.next)"])
                    let upkeep = try MemoryChild("keepUp", in: scene)
                    let wanted = Int.random(in: 1...9)
                    try await until("\(wanted) batches are begun") { churn.progress.begun.count >= wanted }
                    try await until("upkeep has begun") { upkeep.progress.begun.count >= 1 }
                    // Anywhere within what it is doing now.
                    try await Task.sleep(for: .microseconds(Int.random(in: 0...8_000)))
                    // Sometimes one goes on for a moment beside the other's remains.
                    for child in kill % 2 == 0 ? [churn, upkeep] : [upkeep, churn] { try await child.kill() }
                    history.add(churn.progress)
                    let census = try await MemoryCensus(scene.store)
                    history.check(census)
                    try await census.expectIndexAgrees(search)
                    #expect(try scene.store.maintenance.check().faults == [], "kill \(kill)")
                }
                print("memory kills: \(history.summary) with \(Self.kills) kills")
            }
        }

        /// What was begun and done over several processes.
        private struct History {
            private var begun: Set<Int> = []
            private var done: Set<Int> = []
            /// Batches that were under way when their process was killed, and that were there afterwards.
            private var survivors = 0

            var next: Int { (begun.max() ?? -1) + 1 }
            var summary: String {
                "\(done.count) batches done, \(begun.count - done.count) cut short, of which \(survivors) were committed"
            }

            mutating func add(_ progress: (begun: [Int], done: [Int])) {
                begun.formUnion(progress.begun)
                done.formUnion(progress.done)
            }

            mutating func check(_ census: MemoryCensus) {
                let batches = census.batches
                let forgotten = Dictionary(
                    begun.compactMap { number in MemoryBatchPlan(number: number).forgets.map { ($0, number) } }
                ) { first, _ in first }
                for number in begun {
                    let plan = MemoryBatchPlan(number: number)
                    guard plan.kind == .new else { continue }
                    let count = batches[number, default: 0]
                    switch forgotten[number] {
                    case .some(let forgetting) where done.contains(forgetting): #expect(count == 0, "batch \(number)")
                    case .some: #expect([0, plan.count].contains(count), "batch \(number)")
                    case .none where done.contains(number): #expect(count == plan.count, "batch \(number)")
                    case .none:
                        #expect([0, plan.count].contains(count), "batch \(number)")
                    }
                }
                // None that was not begun, and of those with keys all have the same version.
                #expect(Set(batches.keys).isSubset(of: begun))
                let versions = Set(census.versions)
                #expect(versions.count <= 1)
                let replacements = begun.filter { MemoryBatchPlan(number: $0).kind == .replacement }
                if let last = done.intersection(replacements).max() {
                    #expect(census.versions.count == MemoryBatchPlan.replaced)
                    #expect((versions.first ?? -1) >= Int64(last))
                }
                survivors = begun.subtracting(done).filter { (batches[$0] ?? 0) > 0 || versions.contains(Int64($0)) }.count
            }
        }
    }
}
