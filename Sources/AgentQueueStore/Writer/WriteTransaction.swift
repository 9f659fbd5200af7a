import AgentQueueModel

/// A transaction of the writer, as operations see it. Confined to the writer's thread.
final class WriteTransaction {
    let connection: WriteConnection
    /// Wall clock at the start of the transaction, in ms; the same for everything the transaction does.
    private(set) var now: Int64 = 0
    let clock: StoreClock
    let health: WriteHealth
    /// Whether writes failed just before this transaction, or it had to wait long.
    private(set) var isFirstAfterTrouble = false
    private var changesBefore: Int64 = 0
    /// The counts that the transaction changes.
    var ledger = Ledger()
    /// The quotas of providers, targets and budgets that the transaction has read.
    var resources = QuotaLedger()

    /// Whether the writer is to checkpoint after the transaction, before it answers.
    var wantsCheckpoint = false
    /// The jobs that this transaction ended, in the order of their ends.
    var ends: [JobEnd] = []
    /// Whether any subscription exists; nil until the transaction has checked.
    var hasSubscriptions: Bool?

    /// Lanes are never deleted, so a committed entry stays valid.
    private var lanes: [LaneKey: Int64] = [:]
    private var newLanes: [LaneKey: Int64] = [:]
    private var batches: [ExactText: Int64] = [:]

    /// The digests of the newest memories, by namespace. They are discarded if the transaction that changed them did not commit.
    var tails: [Int64: DigestTail] = [:]
    /// Whether this transaction changed ``tails``.
    var tailsChanged = false
    /// How many memories a namespace may hold before their digests are merged into the index. Only a test sets it.
    var leastTail = 4_096

    private struct LaneKey: Hashable {
        var queue: String
        var target: Target
        var kind: JobKind

        /// Names are other names if any code point differs, as in SQL.
        static func == (one: LaneKey, other: LaneKey) -> Bool {
            one.kind == other.kind && one.queue.isExactly(other.queue) && one.target.provider == other.target.provider
                && one.target.model.isExactly(other.target.model)
        }
    }

    init(connection: WriteConnection, health: WriteHealth, clock: StoreClock) {
        self.connection = connection
        self.health = health
        self.clock = clock
    }

    /// - Parameter waited: how long the operations have waited to begin, in ms.
    func begin(waited: Int64 = 0) {
        now = clock.wall()
        isFirstAfterTrouble = health.isFailing || waited > WriteHealth.longWait
        if isFirstAfterTrouble { changesBefore = connection.totalChanges }
        ledger = Ledger()
        resources = QuotaLedger()
        wantsCheckpoint = false
        ends.removeAll(keepingCapacity: true)
        hasSubscriptions = nil
        if tailsChanged { tails.removeAll() }
        tailsChanged = false
        newLanes.removeAll(keepingCapacity: true)
        batches.removeAll(keepingCapacity: true)
    }

    /// Whether the transaction has changed rows, if it is the first after trouble.
    var hasChanges: Bool { connection.totalChanges != changesBefore }

    /// Keeps what became valid with the COMMIT.
    func didCommit() {
        for (key, id) in newLanes { lanes[key] = id }
        tailsChanged = false
    }

    /// The prepared statement of a literal.
    func statement(_ sql: StaticString) throws(SQLFailure) -> Statement { try connection.statement(sql) }

    /// The prepared statement of a text composed once.
    func statement(_ sql: SQLText) throws(SQLFailure) -> Statement { try connection.statement(sql) }

    /// A statement composed at run time, from enumerations only; not cached.
    func statement(building sql: String) throws(SQLFailure) -> Statement { try connection.statement(building: sql) }

    /// The lane of a queue, target and kind; created on first use.
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

    /// Creates a queue's row if it does not exist.
    func makeQueue(_ name: String) throws(SQLFailure) {
        try statement("INSERT INTO queues (name) VALUES (?) ON CONFLICT DO NOTHING").bind(name).run()
    }

    /// The batch with a name; created on first use.
    func batch(named name: String) throws(SQLFailure) -> Int64 {
        if let id = batches[ExactText(name)] { return id }
        try statement("INSERT INTO batches (name, created_at) VALUES (?, ?) ON CONFLICT DO NOTHING").bind(name).bind(now).run()
        let id = try statement("SELECT id FROM batches WHERE name = ?").bind(name).first { $0.int64(0) } ?? 0
        batches[ExactText(name)] = id
        return id
    }

    /// The next value of the counter from which lease tokens are taken.
    func nextToken() throws(SQLFailure) -> Int64 {
        try statement("UPDATE counters SET value = value + 1 WHERE name = 'token' RETURNING value").first { $0.int64(0) } ?? 0
    }
}

/// A job that has ended.
package struct JobEnd: Sendable, Hashable {
    package let job: Int64
    /// Its final state.
    package let state: JobState
}
