import AgentQueueModel
import AgentQueueStore

/// Groups claimed jobs into calls. Jobs that can share a call go together, up to its capacity; others get calls of their own.
///
/// It is a value; times are passed in (CLOCK_MONOTONIC, ms). A call is made when it is full, when it has lingered long enough, when no more
/// jobs are expected, or when a job's own timeout is near. More jobs are expected if the claim left jobs of the lane behind, or if the
/// lane's jobs have been arriving within the linger time of each other, so a lone job does not wait.
struct Coalescer {
    /// A call that lingers for more jobs.
    fileprivate struct Waiting {
        var jobs: [ClaimedJob] = []
        var inputs = 0
        var bytes = 0
        /// When it is made at the latest.
        var leavesAt: Int64
    }

    private let capacities: [String: CallCapacity]
    private let linger: Int64
    private var waiting: [Int64: Waiting] = [:]
    /// When jobs of a lane last arrived.
    private var arrivals: [Int64: Int64] = [:]

    /// A job lingers for at most a tenth of its timeout.
    private static let timeoutShare: Int64 = 10

    /// Makes an empty coalescer.
    /// - Parameters:
    ///   - capacities: the capacity of a call, by provider. Jobs of other providers share no calls.
    ///   - linger: how long a call waits for more jobs, in ms.
    init(capacities: [String: CallCapacity], linger: Int64) {
        self.capacities = capacities
        self.linger = linger
    }

    /// The number of lingering calls. Each will need a slot.
    var count: Int { waiting.count }

    /// The lingering calls, by lane.
    var openCalls: [Int64: OpenCall] {
        waiting.compactMapValues { call in
            call.jobs.first.map { OpenCall(inputs: call.inputs, bytes: call.bytes, route: $0.route) }
        }
    }

    /// When the next of them is made.
    var nextDue: Int64? { waiting.values.lazy.map(\.leavesAt).min() }

    /// Adds the jobs of a claim.
    /// - Parameter lanesWithMore: the lanes with more jobs that could share a call.
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
            // The claim reserved for calls, and jobs of different calls have different tokens. They stay separate.
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

    /// The calls whose linger time is over.
    mutating func due(now: Int64) -> [[ClaimedJob]] {
        waiting.filter { $0.value.leavesAt <= now }.keys.sorted().map { leave($0) }
    }

    /// All lingering calls.
    mutating func flush() -> [[ClaimedJob]] { waiting.keys.sorted().map { leave($0) } }

    /// Removes a lingering job; nil if it is not here.
    mutating func remove(_ lease: Lease) -> ClaimedJob? {
        for lane in waiting.keys {
            guard let job = waiting[lane]?.remove(lease) else { continue }
            if waiting[lane]?.jobs.isEmpty == true { waiting[lane] = nil }
            return job
        }
        return nil
    }

    /// The capacity of a job's call; nil if it has its own: its kind shares none, the cache answers it, or it is a probe or quarantined.
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
