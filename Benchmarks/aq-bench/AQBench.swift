import ArgumentParser

/// What the store and the worker do in a second. `Benchmarks/run` compares it with the yardstick, in one run.
@main
struct AQBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aq-bench", abstract: "Measures the store and the worker; every command prints one JSON object.",
        subcommands: [
            EnqueueBench.self, SettleBench.self, ClaimBench.self, ContendBench.self, Producer.self, InstantWorker.self, ModelServer.self,
            CacheBench.self, Summary.self, PredecessorBench.self, CoalesceBench.self, RecallBench.self, RememberBench.self,
            VectorBench.self, RunsBench.self,
        ])
}
