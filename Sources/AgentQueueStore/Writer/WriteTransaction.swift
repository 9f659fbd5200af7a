import AgentQueueModel

/// A transaction of the writer, as operations see it. Confined to the writer's thread.
final class WriteTransaction {
    /// The writer's connection.
    let connection: WriteConnection
    /// Wall clock when the transaction began, ms: one time for all that it does.
    private(set) var now: Int64 = 0
    /// The clocks of the store.
    let clock: StoreClock
    /// The counts it changes.
    var ledger = Ledger()
    /// The providers, targets and budgets it looks at.
    var resources = QuotaLedger()

    /// Whether anybody is to be told of anything that ends; nil until the transaction has looked.
    var hasSubscriptions: Bool?

    /// Lanes are never deleted, so what was committed once holds.
    private var lanes: [LaneKey: Int64] = [:]
    private var newLanes: [LaneKey: Int64] = [:]
    private var batches: [String: Int64] = [:]

    /// The digests of the newest memories, by namespace. What a transaction put there is of no use if it was not committed.
    var tails: [Int64: DigestTail] = [:]
    /// Whether this transaction changed them.
    var tailsChanged = false
    /// How many memories a namespace may hold before their digests are taken into the index. Only a test sets it.
    var leastTail = 4_096

    private struct LaneKey: Hashable {
        var queue: String
        var target: Target
        var kind: JobKind
    }

    init(connection: WriteConnection, clock: StoreClock) {
        self.connection = connection
        self.clock = clock
    }

    func begin() {
        now = clock.wall()
        ledger = Ledger()
        resources = QuotaLedger()
        hasSubscriptions = nil
        if tailsChanged { tails.removeAll() }
        tailsChanged = false
        newLanes.removeAll(keepingCapacity: true)
        batches.removeAll(keepingCapacity: true)
    }

    /// What is known after the COMMIT.
    func didCommit() {
        for (key, id) in newLanes { lanes[key] = id }
        tailsChanged = false
    }

    /// The prepared statement of a literal.
    func statement(_ sql: StaticString) throws(SQLFailure) -> Statement { try connection.statement(sql) }

    /// The prepared statement of a text that was put together once.
    func statement(_ sql: SQLText) throws(SQLFailure) -> Statement { try connection.statement(sql) }

    /// A statement built at run time, from enumerations alone; not kept.
    func statement(building sql: String) throws(SQLFailure) -> Statement { try connection.statement(building: sql) }

    /// The lane of a queue, a target and a kind; made on first use.
    func lane(queue: String, target: Target, kind: JobKind) throws(SQLFailure) -> Int64 {
        let key = LaneKey(queue: queue, target: target, kind: kind)
        if let id = lanes[key] ?? newLanes[key] { return id }
        try makeQueue(queue)
        let name = target.description
        try statement("INSERT INTO lanes (queue, provider, target, kind) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(queue).bind(target.provider).bind(name).bind(kind.rawValue).run()
        let id = try statement("SELECT id FROM lanes WHERE queue = ? AND target = ? AND kind = ?")
            .bind(queue).bind(name).bind(kind.rawValue).first { $0.int64(0) }
        newLanes[key] = id
        return id ?? 0
    }

    /// Makes a queue's row, if it has none.
    func makeQueue(_ name: String) throws(SQLFailure) {
        try statement("INSERT INTO queues (name) VALUES (?) ON CONFLICT DO NOTHING").bind(name).run()
    }

    /// The batch of a name; made on first use.
    func batch(named name: String) throws(SQLFailure) -> Int64 {
        if let id = batches[name] { return id }
        try statement("INSERT INTO batches (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING").bind(name).bind(now).run()
        let id = try statement("SELECT id FROM batches WHERE name = ?").bind(name).first { $0.int64(0) } ?? 0
        batches[name] = id
        return id
    }

    /// The next value of the counter that tokens come from.
    func nextToken() throws(SQLFailure) -> Int64 {
        try statement("UPDATE counters SET value = value + 1 WHERE name = 'token' RETURNING value").first { $0.int64(0) } ?? 0
    }
}
