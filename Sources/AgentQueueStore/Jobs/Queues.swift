import AgentQueueModel

/// A queue and its lanes.
package struct QueueSummary: Sendable, Equatable {
    /// Its name, 1 to 128 bytes.
    package var name: String
    /// Since when it is paused (wall clock, ms); nil if it is not.
    package var pausedAt: Int64?
    /// Its lanes, by target, then kind.
    package var lanes: [LaneSummary]

    /// How many of its jobs are in a state.
    package func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }
}

/// A lane: its jobs' counts, and what its answers cost, ever.
package struct LaneSummary: Sendable, Equatable {
    /// Its number in the database.
    package var id: Int64
    /// The queue its jobs wait in.
    package var queue: String
    /// `provider/model`.
    package var target: String
    /// What its jobs ask of the model.
    package var kind: JobKind
    /// By ``JobState`` in the order of its cases.
    private var counts: [Int]
    /// Answers paid for.
    package var calls: Int
    /// The tokens of the answers paid for.
    package var usage: Usage
    /// US dollars.
    package var cost: Double
    /// Answers from the cache.
    package var cacheAnswers: Int
    /// US dollars not paid thanks to them.
    package var saved: Double

    /// How many of its jobs are in a state.
    package func count(_ state: JobState) -> Int { counts[state.index] }

    static func fetchAll(_ reader: ReadConnection) throws -> [LaneSummary] {
        try reader.statement(
            """
            SELECT pending, scheduled, available, running, retryable, completed, cancelled, discarded,
            id, queue, target, kind, calls, input_tokens, output_tokens, cost_usd, cache_answers, saved_usd
            FROM lanes ORDER BY queue, target, kind
            """
        ).all { row in
            LaneSummary(
                id: row.int64(8), queue: row.text(9), target: row.text(10), kind: JobKind(rawValue: row.text(11)) ?? .generate,
                counts: (0..<8).map { row.int($0) }, calls: row.int(12), usage: Usage(inputTokens: row.int(13), outputTokens: row.int(14)),
                cost: row.double(15), cacheAnswers: row.int(16), saved: row.double(17))
        }
    }
}
