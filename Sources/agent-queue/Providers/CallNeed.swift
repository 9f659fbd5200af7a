import JobModel
import QueueStore
import Settings

/// What a job's call takes of limits, roughly: enough to say why it waits, never to decide.
struct CallNeed {
    private let inputTokens: Double
    private let outputTokens: Double
    /// US dollars, every byte taken for a token.
    private let cost: Double

    init(_ job: Job, price: ModelPrice?, bound: Int?) {
        let bytes = Double(job.request.text.utf8.count)
        let said = (job.request["max_completion_tokens"] ?? job.request["max_tokens"])?.int ?? bound
        inputTokens = bytes / 4
        outputTokens = job.kind == .generate ? Double(said ?? 512) : 0
        let written = job.kind == .generate ? Double(said ?? 4_096) : 0
        cost = price.map { (bytes * $0.inputPerMTok + written * $0.outputPerMTok) / 1_000_000 } ?? 0
    }

    /// The limit that has no room for the call now, in words; nil where all have.
    func exceeded(_ state: ProviderState, _ limits: CallLimitSettings) -> String? {
        if let most = limits.concurrency, state.running >= most { return Figures.count(most, "call") + " at once" }
        let rates: [(ProviderState.Level?, Double, String)] = [
            (state.requests, 1, "requests"), (state.tokens, inputTokens + outputTokens, "tokens"),
            (state.inputTokens, inputTokens, "tokens in"), (state.outputTokens, outputTokens, "tokens out"),
        ]
        for (level, need, name) in rates {
            // A call that needs more than a minute holds goes when the minute is full.
            guard let level, level.level < min(need, level.capacity) else { continue }
            return "\(Figures.decimal(level.capacity.rounded(.down), places: 0)) \(name) a minute"
        }
        guard let most = limits.usdPerDay, cost > 0, state.spentToday + state.reservedUSD + cost > most else { return nil }
        return "\(Figures.money(most)) a day"
    }
}
