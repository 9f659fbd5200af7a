import GRDB
import JobModel

/// A lane: its jobs' counts, and what its answers cost, ever.
public struct LaneSummary: Sendable, Equatable {
    /// Its number in the database.
    public var id: Int64
    /// The queue its jobs wait in.
    public var queue: String
    /// `provider/model`.
    public var target: String
    /// What its jobs ask of the model.
    public var kind: JobKind
    /// By ``JobState`` in the order of its cases.
    private var counts: [Int]
    /// Answers paid for.
    public var calls: Int
    /// The tokens of the answers paid for.
    public var usage: Usage
    /// US dollars.
    public var cost: Double
    /// Answers from the cache.
    public var cacheAnswers: Int
    /// US dollars not paid thanks to them.
    public var saved: Double

    /// How many of its jobs are in a state.
    public func count(_ state: JobState) -> Int { counts[state.index] }

    static func fetchAll(_ database: Database) throws -> [LaneSummary] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT pending, scheduled, available, running, retryable, completed, cancelled, discarded,
                id, queue, target, kind, calls, input_tokens, output_tokens, cost_usd, cache_answers, saved_usd
                FROM lanes ORDER BY queue, target, kind
                """
        ).map { row in
            LaneSummary(
                id: row[8], queue: row[9], target: row[10], kind: JobKind(rawValue: row[11]) ?? .generate,
                counts: (0..<8).map { row[$0] }, calls: row[12], usage: Usage(inputTokens: row[13], outputTokens: row[14]), cost: row[15],
                cacheAnswers: row[16], saved: row[17])
        }
    }
}
