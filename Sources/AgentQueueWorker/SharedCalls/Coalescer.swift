import AgentQueueModel
import AgentQueueStore

/// Gathers claimed jobs into calls: those that can share one go together, up to what a call may hold; every other has its own.
///
/// A value: time is passed in (CLOCK_MONOTONIC, ms). A call leaves when it is full, when it has waited the linger, when nothing else is
/// coming, or when a job's own time runs short. Something else is coming where the claim left jobs of the lane behind, or where
/// the lane's jobs have been arriving no more than a linger apart: a lone job waits for no one.
struct Coalescer {
    /// A call that waits for company.
    fileprivate struct Waiting {
        var jobs: [ClaimedJob] = []
        var inputs = 0
        var bytes = 0
        /// When it leaves at the latest.
        var leavesAt: Int64
    }

    private let capacities: [String: CallCapacity]
    private let linger: Int64
    private var waiting: [Int64: Waiting] = [:]
    /// When a lane's jobs last arrived.
    private var arrivals: [Int64: Int64] = [:]

    /// What a job gives of its time to waiting for company at most: a tenth of its call's.
    private static let timeoutShare: Int64 = 10

    /// Makes one.
    /// - Parameters:
    ///   - capacities: what one call may hold, by provider. Jobs of others have calls of their own.
    ///   - linger: how long a call waits for company at most, in ms.
    init(capacities: [String: CallCapacity], linger: Int64) {
        self.capacities = capacities
        self.linger = linger
    }

    /// How many calls wait for company: each will take a slot.
    var count: Int { waiting.count }

    /// What they hold, by lane.
    var openCalls: [Int64: OpenCall] {
        waiting.compactMapValues { call in
            call.jobs.first.map { OpenCall(inputs: call.inputs, bytes: call.bytes, route: $0.route) }
        }
    }

    /// When the next of them leaves.
    var nextDue: Int64? { waiting.values.lazy.map(\.leavesAt).min() }

    /// Takes in what a round of claiming brought.
    /// - Parameter lanesWithMore: the lanes of which the round left jobs behind that could go along.
    /// - Returns: the calls to make now.
    mutating func add(_ jobs: [ClaimedJob], lanesWithMore: Set<Int64>, now: Int64) -> [[ClaimedJob]] {
        var calls: [[ClaimedJob]] = []
        var touched: Set<Int64> = []
        var tokens: [Int64: Int64] = [:]
        for job in jobs {
            guard let capacity = capacity(of: job) else {
                calls.append([job])
                continue
            }
            touched.insert(job.laneID)
            // What the claim planned, and set aside for, as another call stays one: its jobs have another token.
            if let last = tokens[job.laneID], last != job.lease.token, waiting[job.laneID] != nil { calls.append(leave(job.laneID)) }
            tokens[job.laneID] = job.lease.token
            if let open = waiting[job.laneID], !open.takes(job, capacity) { calls.append(leave(job.laneID)) }
            waiting[job.laneID, default: Waiting(leavesAt: now + linger)].add(
                job, latest: now + (job.timeout ?? Int64.max / 2) / Self.timeoutShare)
            if let open = waiting[job.laneID], open.isFull(capacity) { calls.append(leave(job.laneID)) }
        }
        for lane in touched {
            let isFrequent = arrivals[lane].map { now - $0 <= linger } ?? false
            arrivals[lane] = now
            if waiting[lane] != nil, !isFrequent, !lanesWithMore.contains(lane) { calls.append(leave(lane)) }
        }
        return calls + due(now: now)
    }

    /// The calls whose wait is over.
    mutating func due(now: Int64) -> [[ClaimedJob]] {
        waiting.filter { $0.value.leavesAt <= now }.keys.sorted().map { leave($0) }
    }

    /// Nothing else is coming: everything that waits.
    mutating func flush() -> [[ClaimedJob]] { waiting.keys.sorted().map { leave($0) } }

    /// Takes out a job that is not to be called for; nil where it does not wait here.
    mutating func remove(_ lease: Lease) -> ClaimedJob? {
        for lane in waiting.keys {
            guard let job = waiting[lane]?.remove(lease) else { continue }
            if waiting[lane]?.jobs.isEmpty == true { waiting[lane] = nil }
            return job
        }
        return nil
    }

    /// What a job's call may hold; nil where it has one of its own: it cannot share one, the cache answers it, or all depends on it.
    private func capacity(of job: ClaimedJob) -> CallCapacity? {
        guard job.kind.isBatchable, !job.isCached, !job.isProbe, job.crashes < 2 else { return nil }
        return capacities[job.route.provider]
    }

    private mutating func leave(_ lane: Int64) -> [ClaimedJob] { waiting.removeValue(forKey: lane)?.jobs ?? [] }
}

extension Coalescer.Waiting {
    fileprivate func takes(_ job: ClaimedJob, _ capacity: CallCapacity) -> Bool {
        guard let first = jobs.first else { return true }
        return first.route == job.route && inputs + job.inputs <= capacity.inputs && bytes + job.bytes <= capacity.bytes
    }

    fileprivate func isFull(_ capacity: CallCapacity) -> Bool { inputs >= capacity.inputs || bytes >= capacity.bytes }

    fileprivate mutating func add(_ job: ClaimedJob, latest: Int64) {
        jobs.append(job)
        inputs += job.inputs
        bytes += job.bytes
        leavesAt = min(leavesAt, latest)
    }

    fileprivate mutating func remove(_ lease: Lease) -> ClaimedJob? {
        guard let place = jobs.firstIndex(where: { $0.lease == lease }) else { return nil }
        let job = jobs.remove(at: place)
        inputs -= job.inputs
        bytes -= job.bytes
        return job
    }
}
