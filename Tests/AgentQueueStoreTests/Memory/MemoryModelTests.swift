import Foundation
import Testing

/// Memories against a model of them.
///
/// `AGENT_QUEUE_MEMORY_SEQUENCES` sets how many sequences are run; `AGENT_QUEUE_MODEL_SEED` repeats one.
@Suite struct MemoryModelTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let sequences = environment["AGENT_QUEUE_MEMORY_SEQUENCES"].flatMap { Int($0) } ?? 3_000
    private static let seed = environment["AGENT_QUEUE_MODEL_SEED"].flatMap { UInt64($0) }
    private static let shards = 2

    /// In two halves, side by side, each on a database of its own.
    @Test(.timeLimit(.minutes(30)), arguments: 0..<shards)
    func memoriesAreWhatTheModelSays(shard: Int) async throws {
        if let seed = Self.seed {
            if shard == 0 { try await run([seed]) }
        } else {
            try await run(stride(from: UInt64(shard), to: UInt64(Self.sequences), by: Self.shards))
        }
    }

    private func run(_ seeds: some Sequence<UInt64>) async throws {
        var model = try await MemoryModelRun()
        defer { model.close() }
        var failures = 0
        for (index, seed) in seeds.enumerated() {
            do {
                try await model.run(seed: seed, checks: index.isMultiple(of: 5))
            } catch {
                let problem = (error as? MemoryModelRun.Mismatch)?.text ?? "\(error)"
                let steps = model.steps.enumerated().map { "  \($0 + 1). \($1)" }.joined(separator: "\n")
                Issue.record("sequence \(seed) (repeat it with AGENT_QUEUE_MODEL_SEED=\(seed)):\n\(steps)\n\(problem)")
                failures += 1
                guard failures < 3 else { return }
                model.close()
                model = try await MemoryModelRun()
            }
        }
    }
}
