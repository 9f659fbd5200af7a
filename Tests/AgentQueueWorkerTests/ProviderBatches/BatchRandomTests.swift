import AgentQueueModel
import AgentQueueTestSupport
import Synchronization
import Testing

@testable import AgentQueueStore
@testable import AgentQueueWorker

/// Anything in any order: nothing is charged twice, every job ends, and the store finds no fault.
@Suite struct BatchRandomTests {
    @Test(arguments: 1...24)
    func randomSequences(_ seed: Int) async throws {
        let namesLabels = seed % 2 == 0
        try await withScene(items: 4, namesLabels: namesLabels) { s in
            var generator = SeededGenerator(seed: UInt64(seed))
            var ids: [Int64] = []
            var texts: [Int64: String] = [:]
            for step in 0..<150 {
                switch Int.random(in: 0..<20, using: &generator) {
                case 0..<5:
                    let text = "q\(step)"
                    let deadline =
                        Bool.random(using: &generator) ? nil : s.now + Int64.random(in: 1...40, using: &generator) * 10 * BatchScene.minute
                    let id = try await s.add(text) {
                        $0.deadline = deadline
                        $0.useCache = step % 3 != 0
                    }
                    ids.append(id)
                    texts[id] = text
                case 5:
                    // The same again: it is never asked for anew while it waits, or is kept.
                    guard let (id, text) = texts.randomElement(using: &generator), try s.job(id).useCache else { continue }
                    let twin = try await s.add(text)
                    ids.append(twin)
                    texts[twin] = text
                case 6..<9:
                    _ = try await s.store.maintenance.promote()
                    try await s.run(try await s.claim())
                case 9..<13:
                    let dice = Mutex(SeededGenerator(seed: UInt64(seed * 1_000 + step)))
                    try await s.drive { _ in
                        if dice.withLock({ Int.random(in: 0..<6, using: &$0) }) == 0 { throw BatchInterruption() }
                    }
                case 13: try await s.drive()
                case 14:
                    await s.provider.finish(Int.random(in: 0...4, using: &generator), rest: Bool.random(using: &generator) ? .expired : nil)
                case 15:
                    switch Int.random(in: 0..<5, using: &generator) {
                    case 0: await s.provider.refuse("no")
                    case 1: await s.provider.next(.submit, .answerLost)
                    case 2: await s.provider.next(.cancel, .answerLost)
                    case 3: await s.provider.next(.read, .answerLost)
                    default:
                        let call = FakeBatchProvider.Call.allCases.randomElement(using: &generator) ?? .get
                        let failure =
                            [FailureClass.retryable, .rateLimited, .authentication].randomElement(using: &generator) ?? .retryable
                        await s.provider.next(call, .refused(ModelFailure(failure, "trouble")))
                    }
                case 16:
                    if let id = ids.randomElement(using: &generator) { _ = try await s.store.jobs.cancel(ids: [id]) }
                case 17:
                    if !namesLabels { await s.provider.addForeign("else-\(step)", count: Int.random(in: 1...4, using: &generator)) }
                default:
                    s.pass(Int64.random(in: 1...30, using: &generator) * 30_000)
                }
                #expect(try s.store.maintenance.check().faults == [], "after step \(step)")
            }
            await s.provider.beWell()
            try await s.finish(ids)
            for id in ids {
                let job = try s.job(id)
                #expect(job.state == .completed || job.state == .cancelled, "job \(id) is \(job.state)")
                if job.state == .completed { #expect(job.result?.reply["text"]?.string == "re: \(texts[id] ?? "")") }
            }
            let twice = await s.provider.charges.filter { $0.value > 1 }
            #expect(twice == [:])
            let open = try s.batches().filter { $0.state != .ended }
            #expect(open == [])
            #expect(await s.provider.cancelledForeign == false)
            // What was charged for is what the books say.
            let charged = try await s.store.write {
                try $0.statement("SELECT count(*) FROM charges WHERE outcome IN ('answered', 'fenced')").first { $0.int(0) }
            }
            #expect(await s.provider.charges.values.reduce(0, +) == charged)
        }
    }
}
