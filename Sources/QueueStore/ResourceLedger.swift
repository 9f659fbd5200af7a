/// The resources and batch budgets that a transaction looks at, loaded on first touch and written once at its end.
struct ResourceLedger {
    /// A row, as it was stored (nil: not at all) and as it is now.
    struct Entry {
        var stored: Resource?
        var current: Resource
    }

    /// What a batch may cost, and costs.
    struct Budget: Equatable {
        /// US dollars; nil is no bound.
        var limit: Double?
        var spent: Double
        /// US dollars set aside for calls under way.
        var reserved: Double
    }

    var entries: [String: Entry] = [:]
    var budgets: [Int64: (stored: Budget, current: Budget)] = [:]

    /// Writes what changed.
    func write(to transaction: WriteTransaction) throws(SQLFailure) {
        for entry in entries.values where entry.current != entry.stored ?? Resource(name: entry.current.name) {
            try entry.current.write(to: transaction)
        }
        for (batch, budget) in budgets where budget.current != budget.stored {
            try transaction.statement("UPDATE batches SET spent_usd = ?, reserved_usd = ? WHERE id = ?")
                .bind(budget.current.spent).bind(budget.current.reserved).bind(batch).run()
        }
    }
}
