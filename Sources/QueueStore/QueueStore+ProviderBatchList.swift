import GRDB

extension QueueStore {
    /// The batches at the providers, newest first.
    /// - Parameters:
    ///   - includesEnded: whether those that are over are among them.
    ///   - limit: at most so many.
    public func providerBatches(includesEnded: Bool = false, limit: Int) throws -> [ProviderBatchSummary] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT \(ProviderBatchSummary.columns) FROM provider_batches \(includesEnded ? "" : "WHERE state <> 'ended'")
                    ORDER BY id DESC LIMIT ?
                    """, arguments: [limit]
            ).map(ProviderBatchSummary.init)
        }
    }
}
