import AgentQueueModel

/// A queue and its lanes.
package struct QueueSummary: Sendable, Equatable {
    /// The queue's name, 1 to 128 bytes.
    package var name: String
    /// When the queue was paused (wall clock, in milliseconds); nil if it is not paused.
    package var pausedAt: Int64?
    /// The queue's lanes, sorted by target, then kind.
    package var lanes: [LaneSummary]

    /// Returns how many of the queue's jobs are in a state.
    package func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }
}

/// A lane, with its job counts and the total cost of its answers.
package struct LaneSummary: Sendable, Equatable {
    package var id: Int64
    package var queue: String
    /// The lane's target: `provider/model`.
    package var target: String
    package var kind: JobKind
    /// Indexed by ``JobState`` in the order of its cases.
    private var counts: [Int]
    /// The number of answers that were paid for.
    package var calls: Int
    /// The tokens of the answers that were paid for.
    package var usage: Usage
    /// How many of those answers have no known price.
    package var unpricedCalls: Int
    /// What the others cost, in US dollars.
    package var cost: Double
    /// The number of jobs answered without a call of their own: from the cache or as followers.
    package var cacheAnswers: Int
    /// How many of those jobs saved a call without a known price.
    package var unpricedAnswers: Int
    /// What the others saved, in US dollars.
    package var saved: Double

    /// Returns how many of the lane's jobs are in a state.
    package func count(_ state: JobState) -> Int { counts[state.index] }

    static func fetchAll(_ reader: ReadConnection) throws -> [LaneSummary] {
        try reader.statement(
            """
            SELECT pending, scheduled, available, running, retryable, completed, cancelled, discarded,
            id, queue, target, kind, calls, input_tokens, output_tokens, cost_usd, cache_answers, saved_usd, unpriced_calls,
            unpriced_answers FROM lanes ORDER BY queue, target, kind
            """
        ).all { row in
            LaneSummary(
                id: row.int64(8), queue: row.text(9), target: row.text(10), kind: JobKind(rawValue: row.text(11)) ?? .generate,
                counts: (0..<8).map { row.int($0) }, calls: row.int(12), usage: Usage(inputTokens: row.int(13), outputTokens: row.int(14)),
                unpricedCalls: row.int(18), cost: row.double(15), cacheAnswers: row.int(16), unpricedAnswers: row.int(19),
                saved: row.double(17))
        }
    }
}
