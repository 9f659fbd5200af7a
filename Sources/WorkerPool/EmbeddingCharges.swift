import JobModel
import ModelCalls
import QueueStore

/// What calls of an embedding model came to, put together: what was answered, and what failed.
struct EmbeddingCharges {
    private let embedder: Embedder
    private var reports: [(report: CallReport, message: String)] = []

    /// - Parameters:
    ///   - outcomes: one a text; each call is counted by one of those that shared it.
    ///   - bytes: the texts' length, by which tokens are guessed where the provider does not count them, and money needs it.
    init(_ outcomes: [Outcome], of embedder: Embedder, bytes: Int) {
        self.embedder = embedder
        var replies: [ModelReply] = []
        var failures: [ModelFailure] = []
        for outcome in outcomes {
            switch outcome {
            case .reply(let reply): replies.append(reply)
            case .failure(let failure): failures.append(failure)
            }
        }
        if !replies.isEmpty { reports.append((report(of: replies, bytes: bytes), "")) }
        if let first = failures.first { reports.append((report(of: failures, first, bytes: bytes), first.message)) }
    }

    /// Puts them on record.
    func write(besides job: ClaimedJob?) async throws {
        for (report, message) in reports {
            if let job {
                try await embedder.store.charge(report, message, besides: job)
            } else {
                try await embedder.store.charge(report, message, kind: .embed)
            }
        }
    }

    private func report(of replies: [ModelReply], bytes: Int) -> CallReport {
        var usage = replies.reduce(Usage()) { $0 + $1.usage }
        var cost = replies.reduce(0.0) { $0 + embedder.cost(of: $1.usage, said: $1.cost) }
        if usage == Usage(), cost == 0, embedder.price != nil {
            // A limit on money would else never be reached.
            usage = Usage(inputTokens: bytes / 4 + 1)
            cost = embedder.cost(of: usage, said: nil)
        }
        return CallReport(
            target: embedder.target, usage: usage, cost: cost, calls: max(1, replies.reduce(0) { $0 + $1.calls }),
            limits: replies.lazy.compactMap(\.limits).first)
    }

    private func report(of failures: [ModelFailure], _ first: ModelFailure, bytes: Int) -> CallReport {
        let usage = failures.reduce(Usage()) { $0 + $1.usage }
        let isMaybePaid = failures.contains(where: \.isMaybePaid)
        let worst = embedder.cost(of: Usage(inputTokens: bytes), said: nil)
        return CallReport(
            target: embedder.target, usage: usage, cost: failures.reduce(0.0) { $0 + embedder.cost(of: $1.usage, said: $1.cost) },
            calls: failures.reduce(0) { $0 + $1.calls }, failure: first.failure, retryAfter: first.retryAfter, scope: first.scope,
            limits: failures.lazy.compactMap(\.limits).first, isMaybePaid: isMaybePaid, maybeCost: isMaybePaid ? worst : 0,
            wasSent: failures.contains(where: \.wasSent))
    }
}
