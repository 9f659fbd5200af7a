import Foundation
import Testing

/// Whatever happens, in whatever order: what is set aside is what runs, and what was spent is the sum of the charges.
///
/// `AGENT_QUEUE_ACCOUNTING_SEQUENCES` sets how many sequences are run; `AGENT_QUEUE_ACCOUNTING_SEEDS` repeats some, one after the other
/// on one database, and looks at the books after every step.
@Suite struct AccountingTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let sequences = environment["AGENT_QUEUE_ACCOUNTING_SEQUENCES"].flatMap { Int($0) } ?? 600
    private static let seeds = environment["AGENT_QUEUE_ACCOUNTING_SEEDS"].map { $0.split(separator: ",").compactMap { UInt64($0) } }
    private static let shards = 2

    @Test(.timeLimit(.minutes(10)), arguments: 0..<shards)
    func theBooksBalance(shard: Int) async throws {
        var counts: [String: Int] = [:]
        let all = Array(stride(from: UInt64(shard), to: UInt64(Self.sequences), by: Self.shards))
        for seeds in Self.seeds.map({ shard == 0 ? [$0] : [] })
            ?? stride(from: 0, to: all.count, by: 25).map({
                Array(all[$0..<min(all.count, $0 + 25)])
            })
        {
            // A database for a few sequences: its checks look at every charge.
            let run = try await AccountingRun()
            defer { run.close() }
            for seed in seeds {
                do {
                    try await run.run(seed: seed, looksOften: Self.seeds != nil)
                } catch {
                    let steps = run.steps.enumerated().map { "  \($0 + 1). \($1)" }.joined(separator: "\n")
                    let problem = (error as? AccountingRun.Mismatch)?.text ?? "\(error)"
                    let all = seeds.prefix { $0 != seed } + [seed]
                    let repeated = all.map(String.init).joined(separator: ",")
                    Issue.record("sequence \(seed) (repeat it with AGENT_QUEUE_ACCOUNTING_SEEDS=\(repeated)):\n\(steps)\n\(problem)")
                    return
                }
            }
            counts.merge(run.counts, uniquingKeysWith: +)
        }
        // That nothing which should happen never does.
        guard Self.seeds == nil, all.count >= 100 else { return }
        for name in [
            "answered", "failed", "fenced", "rerouted", "not rerouted", "rescued begun", "rescued unbegun", "fallback", "probe", "shared",
            "settled together", "divided",
        ] {
            #expect(counts[name] ?? 0 >= 10, "hardly ever \(name): \(counts)")
        }
    }
}
