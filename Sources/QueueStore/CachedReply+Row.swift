import GRDB

extension CachedReply {
    static let columns = "reply, target, input_tokens, output_tokens, cost_usd, created_at, expires_at"

    init(_ row: Row) {
        self.init(
            reply: row[0], target: row[1], inputTokens: row[2], outputTokens: row[3], cost: row[4], createdAt: row[5], expiresAt: row[6])
    }

    /// From the row that a statement stands on.
    init(_ row: SQLStatement) {
        self.init(
            reply: row.text(0), target: row.text(1), inputTokens: row.int(2), outputTokens: row.int(3), cost: row.double(4),
            createdAt: row.int64(5), expiresAt: row.int64(6))
    }
}
