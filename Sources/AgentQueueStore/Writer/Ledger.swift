import AgentQueueModel

/// The counts that a transaction changes, collected while it runs and written once at its end: settling a thousand jobs of one lane takes
/// a single UPDATE of its row.
struct Ledger {
    /// Changes to a lane's row.
    struct LaneChange {
        var states: [8 of Int64] = .init(repeating: 0)
        var served: Int64 = 0
        var calls: Int64 = 0
        var usage = Usage()
        var cost: Double = 0
        var cacheAnswers: Int64 = 0
        var saved: Double = 0
    }

    /// Changes to a batch's row.
    struct BatchChange {
        var jobs: Int64 = 0
        var completed: Int64 = 0
        var cancelled: Int64 = 0
        var discarded: Int64 = 0
    }

    /// Changes to the current minute's row.
    struct MinuteChange {
        var completed: Int64 = 0
        var discarded: Int64 = 0
        var cancelled: Int64 = 0
        var usage = Usage()
        var cost: Double = 0
    }

    /// Changes to a namespace's row.
    struct NamespaceChange {
        var memories: Int64 = 0
        var bytes: Int64 = 0
    }

    private var lanes: [Int64: LaneChange] = [:]
    private var batches: [Int64: BatchChange] = [:]
    private var minute = MinuteChange()
    private var namespaces: [Int64: NamespaceChange] = [:]
    private var counters: [Counter: Int64] = [:]

    /// A row of `counters`.
    enum Counter: String {
        case cacheEntries = "cache_entries"
        case cacheBytes = "cache_bytes"
        case cacheHits = "cache_hits"
        case cacheMisses = "cache_misses"
        case cacheEvictions = "cache_evictions"
        case coalesced
        case memories
        case memoryBytes = "memory_bytes"
    }

    /// Whether workers should look, because a job became ready or needs their attention.
    private(set) var hasWork = false
    /// Whether callers waiting for results should look, because a job reached a final state.
    private(set) var hasResults = false

    mutating func ringWork() { hasWork = true }

    mutating func ringResults() { hasResults = true }

    /// Checks the batch at the end of the transaction as if its counts had changed.
    mutating func look(atBatch id: Int64) { batches[id, default: BatchChange()].jobs += 0 }

    /// Records a new job.
    mutating func add(lane: Int64, batch: Int64?, state: JobState) {
        lanes[lane, default: LaneChange()].states[state.index] += 1
        if let batch { batches[batch, default: BatchChange()].jobs += 1 }
        arrive(state, batch: batch)
    }

    /// Records a state change of one job, or of several alike.
    /// - Parameter rings: whether to wake workers if the job becomes ready.
    mutating func move(lane: Int64, batch: Int64?, from: JobState, to: JobState, count: Int64 = 1, rings: Bool = true) {
        lanes[lane, default: LaneChange()].states[from.index] -= count
        lanes[lane, default: LaneChange()].states[to.index] += count
        if let batch { countFinal(from, in: batch, by: -count) }
        arrive(to, batch: batch, count: count, rings: rings)
    }

    /// Records the deletion of a job.
    mutating func remove(lane: Int64, batch: Int64?, state: JobState) {
        lanes[lane, default: LaneChange()].states[state.index] -= 1
        if let batch {
            batches[batch, default: BatchChange()].jobs -= 1
            countFinal(state, in: batch, by: -1)
        }
    }

    private mutating func arrive(_ state: JobState, batch: Int64?, count: Int64 = 1, rings: Bool = true) {
        if rings, [.available, .scheduled, .retryable].contains(state) { hasWork = true }
        guard state.isFinal else { return }
        hasResults = true
        switch state {
        case .completed: minute.completed += count
        case .cancelled: minute.cancelled += count
        default: minute.discarded += count
        }
        if let batch { countFinal(state, in: batch, by: count) }
    }

    private mutating func countFinal(_ state: JobState, in batch: Int64, by count: Int64) {
        switch state {
        case .completed: batches[batch, default: BatchChange()].completed += count
        case .cancelled: batches[batch, default: BatchChange()].cancelled += count
        case .discarded: batches[batch, default: BatchChange()].discarded += count
        default: break
        }
    }

    /// Records that a claim served a lane.
    mutating func serve(lane: Int64, token: Int64) { lanes[lane, default: LaneChange()].served = token }

    /// Records an answer that was paid for.
    /// - Parameter calls: 0 for an answer that shared another job's call.
    mutating func pay(lane: Int64, usage: Usage, cost: Double, calls: Int64 = 1) {
        lanes[lane, default: LaneChange()].calls += calls
        lanes[lane, default: LaneChange()].usage.inputTokens += usage.inputTokens
        lanes[lane, default: LaneChange()].usage.outputTokens += usage.outputTokens
        lanes[lane, default: LaneChange()].cost += cost
        minute.usage.inputTokens += usage.inputTokens
        minute.usage.outputTokens += usage.outputTokens
        minute.cost += cost
    }

    /// Records an answer from the cache.
    mutating func save(lane: Int64, cost: Double) {
        lanes[lane, default: LaneChange()].cacheAnswers += 1
        lanes[lane, default: LaneChange()].saved += cost
        counters[.cacheHits, default: 0] += 1
    }

    /// Records an answer from an identical job's call.
    mutating func coalesce(lane: Int64, cost: Double) {
        lanes[lane, default: LaneChange()].cacheAnswers += 1
        lanes[lane, default: LaneChange()].saved += cost
        counters[.coalesced, default: 0] += 1
    }

    mutating func count(_ counter: Counter, by count: Int64 = 1) { counters[counter, default: 0] += count }

    /// Records a change of the number of memories in a namespace, or of their bytes.
    mutating func changeMemories(of namespace: Int64, by memories: Int64, bytes: Int64) {
        namespaces[namespace, default: NamespaceChange()].memories += memories
        namespaces[namespace, default: NamespaceChange()].bytes += bytes
        counters[.memories, default: 0] += memories
        counters[.memoryBytes, default: 0] += bytes
    }

    /// The changes so far to the counts of all namespaces together.
    var changeOfNamespaces: NamespaceChange {
        namespaces.values.reduce(into: NamespaceChange()) { sum, change in
            sum.memories += change.memories
            sum.bytes += change.bytes
        }
    }

    /// The changes so far to a namespace's counts.
    func change(ofNamespace id: Int64) -> NamespaceChange { namespaces[id] ?? NamespaceChange() }

    /// The change so far to a lane's count.
    func change(of state: JobState, in lane: Int64) -> Int64 { lanes[lane]?.states[state.index] ?? 0 }

    /// Writes the collected changes.
    func write(to transaction: WriteTransaction) throws {
        for (lane, change) in lanes {
            let statement = try transaction.statement(
                """
                UPDATE lanes SET pending = pending + ?, scheduled = scheduled + ?, available = available + ?, running = running + ?,
                retryable = retryable + ?, completed = completed + ?, cancelled = cancelled + ?, discarded = discarded + ?,
                served = max(served, ?), calls = calls + ?, input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,
                cost_usd = cost_usd + ?, cache_answers = cache_answers + ?, saved_usd = saved_usd + ? WHERE id = ?
                """)
            for index in change.states.indices { statement.bind(change.states[index]) }
            try statement.bind(change.served).bind(change.calls).bind(change.usage.inputTokens).bind(change.usage.outputTokens)
                .bind(change.cost).bind(change.cacheAnswers).bind(change.saved).bind(lane).run()
        }
        for (batch, change) in batches {
            try transaction.statement(
                """
                UPDATE batches SET jobs = jobs + ?, completed = completed + ?, cancelled = cancelled + ?, discarded = discarded + ?
                WHERE id = ?
                """
            ).bind(change.jobs).bind(change.completed).bind(change.cancelled).bind(change.discarded).bind(batch).run()
        }
        if !batches.isEmpty { try transaction.noteFinished(batches: batches.keys) }
        for (namespace, change) in namespaces where change.memories != 0 || change.bytes != 0 {
            try transaction.statement("UPDATE namespaces SET memories = memories + ?, bytes = bytes + ? WHERE id = ?")
                .bind(change.memories).bind(change.bytes).bind(namespace).run()
        }
        if minute.completed + minute.discarded + minute.cancelled > 0 || minute.cost > 0 || minute.usage != Usage() {
            try transaction.statement(
                """
                INSERT INTO minutes (minute, completed, discarded, cancelled, input_tokens, output_tokens, cost_usd)
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (minute) DO UPDATE SET completed = minutes.completed + excluded.completed,
                discarded = minutes.discarded + excluded.discarded, cancelled = minutes.cancelled + excluded.cancelled,
                input_tokens = minutes.input_tokens + excluded.input_tokens,
                output_tokens = minutes.output_tokens + excluded.output_tokens, cost_usd = minutes.cost_usd + excluded.cost_usd
                """
            ).bind(transaction.now / 60_000).bind(minute.completed).bind(minute.discarded).bind(minute.cancelled)
                .bind(minute.usage.inputTokens).bind(minute.usage.outputTokens).bind(minute.cost).run()
        }
        for (counter, change) in counters where change != 0 {
            try transaction.statement("UPDATE counters SET value = value + ? WHERE name = ?").bind(change).bind(counter.rawValue).run()
        }
    }
}

extension JobState {
    /// The index of its column among a lane's counts.
    var index: Int {
        switch self {
        case .pending: 0
        case .scheduled: 1
        case .available: 2
        case .running: 3
        case .retryable: 4
        case .completed: 5
        case .cancelled: 6
        case .discarded: 7
        }
    }
}
