import GRDB
import JobModel

/// Where the prompts of cached answers lie that may be compared with each other, as it was at one moment. Valid during
/// `QueueStore.readPrompts` alone, on its thread.
public final class PromptSnapshot {
    private let database: Database
    private let context: [UInt8]
    private let model: String
    private let now: Int64

    init(_ database: Database, context: [UInt8], model: String, now: Int64) {
        self.database = database
        self.context = context
        self.model = model
        self.now = now
    }

    private func statement(_ sql: String) throws -> SQLStatement {
        guard let connection = database.sqliteConnection else { throw StoreError(.closed, "the database is closed") }
        return SQLStatement(borrowing: try database.cachedStatement(sql: sql).sqliteStatement, on: connection)
    }

    /// Gives the vectors whose numbers are larger than one, in the order of their numbers: with the entry that each is of, whose earlier
    /// vectors are dead. Float32, little-endian, valid during the call.
    public func vectors(
        after number: Int64, _ body: (_ number: Int64, _ entry: Int64, _ vector: UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try statement(
            "SELECT number, entry_id, vector FROM cache_vectors WHERE context = ? AND model = ? AND number > ? ORDER BY number"
        ).bind(context).bind(model).bind(number).forEachRow { try body($0.int64(0), $0.int64(1), $0.blobBytes(2)) }
    }

    /// Gives the vectors of numbers; those that are gone are passed over. Float32, little-endian, valid during the call.
    public func vectors(_ numbers: [Int64], _ body: (_ index: Int, _ vector: UnsafeRawBufferPointer) throws -> Void) throws {
        let statement = try statement("SELECT vector FROM cache_vectors WHERE context = ? AND model = ? AND number = ?")
        for (index, number) in numbers.enumerated() {
            try statement.bind(context).bind(model).bind(number).forEachRow { try body(index, $0.blobBytes(0)) }
        }
    }

    /// The answer to the prompt of a number, with its score; nil where the vector is gone, or the answer has expired.
    public func answer(_ number: Int64, score: Double) throws -> SemanticMatch? {
        try statement(
            """
            SELECT \(CachedReply.columns), digest FROM cache_vectors JOIN cache_entries ON id = entry_id
            WHERE context = ? AND model = ? AND number = ? AND expires_at > ?
            """
        ).bind(context).bind(model).bind(number).bind(now).first {
            SemanticMatch(digest: $0.blob(7), score: score, reply: CachedReply($0))
        }
    }

    /// Whether the vector of a number is still there.
    public func has(_ number: Int64) throws -> Bool {
        try statement("SELECT 1 FROM cache_vectors WHERE context = ? AND model = ? AND number = ?")
            .bind(context).bind(model).bind(number).first { _ in true } ?? false
    }
}
