import AgentQueueModel

/// The counts that a transaction changes, collected while it runs and written once at its end: settling a thousand jobs of one lane takes
/// a single UPDATE of its row.
struct Ledger {
    /// Changes to a lane's row.
    struct LaneChange {
        var states: [8 of Int64] = .init(repeating: 0)
        var served: Int64 = 0
        var calls: Int64 = 0
        var unpriced: Int64 = 0
        var usage = Usage()
        var cost: Double = 0
        var cacheAnswers: Int64 = 0
        var unpricedAnswers: Int64 = 0
        var saved: Double = 0
    }

    /// Changes to the current hour's row of a lane and a target.
    struct HourChange {
        var lane: Int64
        var target: Target
        var calls: Int64 = 0
        var unpriced: Int64 = 0
        var usage = Usage()
        var cost: Double = 0
    }

    /// Calls without an answer for the jobs of a lane.
    struct FailureChange {
        var lane: Int64
        var target: Target
        var calls: Int64 = 0
        var paid: Int64 = 0
    }

    /// Changes to a batch's row.
    struct BatchChange {
        var jobs: Int64 = 0
        var completed: Int64 = 0
        var cancelled: Int64 = 0
        var discarded: Int64 = 0
        var unpriced: Int64 = 0
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
    // One, unless the transaction settles jobs of several lanes or of a fallback.
    private var hours: [HourChange] = []
    private var failures: [FailureChange] = []
    /// How many jobs have left final states, by lane and in the order of states.
    private var removals: [Int64: [8 of Int64]] = [:]
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
        if from.isFinal { countRemoved(from, lane: lane, count) }
        if let batch { countFinal(from, in: batch, by: -count) }
        arrive(to, batch: batch, count: count, rings: rings)
    }

    /// Records the deletion of a job.
    mutating func remove(lane: Int64, batch: Int64?, state: JobState) {
        lanes[lane, default: LaneChange()].states[state.index] -= 1
        if state.isFinal { countRemoved(state, lane: lane, 1) }
        if let batch {
            batches[batch, default: BatchChange()].jobs -= 1
            countFinal(state, in: batch, by: -1)
        }
    }

    private mutating func countRemoved(_ state: JobState, lane: Int64, _ count: Int64) {
        removals[lane, default: .init(repeating: 0)][state.index] += count
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
    /// - Parameters:
    ///   - target: what was called.
    ///   - cost: nil if the price is unknown.
    ///   - calls: 0 for an answer that shared another job's call.
    ///   - unpriced: how many calls have no known price; nil for all of them if the cost is nil.
    mutating func pay(lane: Int64, target: Target, usage: Usage, cost: Double?, calls: Int64 = 1, unpriced: Int64? = nil) {
        let unpriced = cost == nil ? unpriced ?? calls : 0
        let cost = cost ?? 0
        lanes[lane, default: LaneChange()].calls += calls
        lanes[lane, default: LaneChange()].unpriced += unpriced
        lanes[lane, default: LaneChange()].usage.inputTokens += usage.inputTokens
        lanes[lane, default: LaneChange()].usage.outputTokens += usage.outputTokens
        lanes[lane, default: LaneChange()].cost += cost
        minute.usage.inputTokens += usage.inputTokens
        minute.usage.outputTokens += usage.outputTokens
        minute.cost += cost
        let place: Int
        if let known = hours.firstIndex(where: { $0.lane == lane && $0.target == target }) {
            place = known
        } else {
            place = hours.count
            hours.append(HourChange(lane: lane, target: target))
        }
        hours[place].calls += calls
        hours[place].unpriced += unpriced
        hours[place].usage.inputTokens += usage.inputTokens
        hours[place].usage.outputTokens += usage.outputTokens
        hours[place].cost += cost
    }

    /// Records a call that brought no answer.
    mutating func fail(lane: Int64, target: Target, isPaid: Bool) {
        let place: Int
        if let known = failures.firstIndex(where: { $0.lane == lane && $0.target == target }) {
            place = known
        } else {
            place = failures.count
            failures.append(FailureChange(lane: lane, target: target))
        }
        failures[place].calls += 1
        if isPaid { failures[place].paid += 1 }
    }

    /// Records calls of a batch whose price is unknown, or that their number has changed.
    mutating func countUnpriced(_ calls: Int64, inBatch id: Int64) { batches[id, default: BatchChange()].unpriced += calls }

    /// Records an answer from the cache.
    /// - Parameter cost: what it saved; nil if the price is unknown.
    mutating func save(lane: Int64, cost: Double?) {
        count(saved: cost, lane: lane)
        counters[.cacheHits, default: 0] += 1
    }

    /// Records an answer from an identical job's call.
    /// - Parameter cost: what it saved; nil if the price is unknown.
    mutating func coalesce(lane: Int64, cost: Double?) {
        count(saved: cost, lane: lane)
        counters[.coalesced, default: 0] += 1
    }

    private mutating func count(saved cost: Double?, lane: Int64) {
        lanes[lane, default: LaneChange()].cacheAnswers += 1
        if let cost {
            lanes[lane, default: LaneChange()].saved += cost
        } else {
            lanes[lane, default: LaneChange()].unpricedAnswers += 1
        }
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
                cost_usd = cost_usd + ?, cache_answers = cache_answers + ?, saved_usd = saved_usd + ?,
                unpriced_calls = unpriced_calls + ?, unpriced_answers = unpriced_answers + ? WHERE id = ?
                """)
            for index in change.states.indices { statement.bind(change.states[index]) }
            try statement.bind(change.served).bind(change.calls).bind(change.usage.inputTokens).bind(change.usage.outputTokens)
                .bind(change.cost).bind(change.cacheAnswers).bind(change.saved).bind(change.unpriced).bind(change.unpricedAnswers)
                .bind(lane).run()
        }
        for change in hours {
            try transaction.statement(
                """
                INSERT INTO usage_hours (hour, lane_id, target, calls, unpriced_calls, input_tokens, output_tokens, cost_usd)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (hour, lane_id, target) DO UPDATE SET
                calls = usage_hours.calls + excluded.calls, unpriced_calls = usage_hours.unpriced_calls + excluded.unpriced_calls,
                input_tokens = usage_hours.input_tokens + excluded.input_tokens,
                output_tokens = usage_hours.output_tokens + excluded.output_tokens, cost_usd = usage_hours.cost_usd + excluded.cost_usd
                """
            ).bind(transaction.now / 3_600_000).bind(change.lane).bind(change.target.description).bind(change.calls).bind(change.unpriced)
                .bind(change.usage.inputTokens).bind(change.usage.outputTokens).bind(change.cost).run()
        }
        try writeRareCounts(to: transaction)
        for (batch, change) in batches {
            try transaction.statement(
                """
                UPDATE batches SET jobs = jobs + ?, completed = completed + ?, cancelled = cancelled + ?, discarded = discarded + ?,
                unpriced_calls = unpriced_calls + ? WHERE id = ?
                """
            ).bind(change.jobs).bind(change.completed).bind(change.cancelled).bind(change.discarded).bind(change.unpriced).bind(batch)
                .run()
        }
        if !batches.isEmpty {
            try transaction.noteFinished(batches: batches.keys)
            try transaction.noteLineEnds(in: batches.keys)
        }
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

extension Ledger {
    /// What most transactions do not change.
    private func writeRareCounts(to transaction: WriteTransaction) throws {
        for (lane, states) in removals {
            try transaction.statement(
                """
                UPDATE lanes SET removed_completed = removed_completed + ?, removed_cancelled = removed_cancelled + ?,
                removed_discarded = removed_discarded + ? WHERE id = ?
                """
            ).bind(states[JobState.completed.index]).bind(states[JobState.cancelled.index]).bind(states[JobState.discarded.index])
                .bind(lane).run()
        }
        for change in failures {
            try transaction.statement(
                """
                INSERT INTO failed_calls (lane_id, target, calls, paid) VALUES (?, ?, ?, ?) ON CONFLICT (lane_id, target) DO UPDATE SET
                calls = failed_calls.calls + excluded.calls, paid = failed_calls.paid + excluded.paid
                """
            ).bind(change.lane).bind(change.target.description).bind(change.calls).bind(change.paid).run()
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
