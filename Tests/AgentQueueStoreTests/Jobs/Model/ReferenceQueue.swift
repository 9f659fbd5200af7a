import AgentQueueModel
import AgentQueueStore

/// The queue as the design's words describe it, in memory and without a thought for speed: what the store is compared
/// with. Knows no SQL, no lanes' counts, no indexes.
struct ReferenceQueue {
    var wall: Int64 = 0
    var jobs: [Int64: ReferenceJob] = [:]
    /// Jobs whose dependents have yet to be told.
    var cascades: Set<Int64> = []
    /// What is cached: the question, and until when.
    var cache: [Int: Int64] = [:]
    var paused: Set<String> = []
    /// Questions whose answers have come, and which more jobs wait for than its own transaction completed.
    var landings: Set<Int> = []
    /// The lanes, `queue target`, in the order in which they were made.
    var lanes: [String] = []

    var ordered: [ReferenceJob] { jobs.values.sorted { $0.id < $1.id } }

    func isCached(_ question: Int) -> Bool { cache[question].map { $0 > wall } ?? false }

    func holder(ofKey key: String) -> ReferenceJob? {
        ordered.first { $0.uniqueKey == key && $0.state != .cancelled && $0.state != .discarded }
    }

    func dependents(of id: Int64) -> [ReferenceJob] { ordered.filter { $0.dependencies[id] != nil } }

    // MARK: Adding

    /// What enqueueing comes to: the state of a new job and what cancelled it, the job that has the key, or a refusal.
    enum Arrival: Equatable {
        case new(JobState, through: Int64?)
        case duplicate(Int64, JobState)
        case refused
    }

    func arrival(key: String?, after: [Int64], scheduledAt: Int64?, question: Int, useCache: Bool) -> Arrival {
        if let key, let holder = holder(ofKey: key) { return .duplicate(holder.id, holder.state) }
        if after.contains(where: { jobs[$0] == nil }) { return .refused }
        let states = after.compactMap { id in jobs[id].map { (id, $0.state) } }
        if let failed = states.first(where: { $0.1 == .cancelled || $0.1 == .discarded }) { return .new(.cancelled, through: failed.0) }
        if states.contains(where: { $0.1 != .completed }) { return .new(.pending, through: nil) }
        if let scheduledAt, scheduledAt > wall { return .new(.scheduled, through: nil) }
        return .new(useCache && isCached(question) ? .completed : .available, through: nil)
    }

    mutating func add(_ job: ReferenceJob, after: [Int64]) {
        var job = job
        job.createdAt = wall
        for id in after { job.dependencies[id] = jobs[id]?.state == .completed }
        if job.state.isFinal { job.finalizedAt = wall }
        if job.state == .completed { job.answeredBy = .cache }
        jobs[job.id] = job
    }

    // MARK: Claiming

    func candidates(queues: Set<String>?, providers: Set<String>) -> [ReferenceJob] {
        ordered.filter { job in
            job.state == .available && !paused.contains(job.queue) && queues?.contains(job.queue) != false
                && providers.contains(String(job.target.prefix { $0 != "/" }))
        }
    }

    mutating func claim(_ id: Int64, token: Int64, worker: Int64, lease: Int64) {
        jobs[id]?.state = .running
        jobs[id]?.attempt += 1
        jobs[id]?.token = token
        jobs[id]?.worker = worker
        jobs[id]?.lease = lease
    }

    func holds(_ lease: Lease) -> Bool { jobs[lease.jobID]?.state == .running && jobs[lease.jobID]?.token == lease.token }

    // MARK: Ending

    /// Takes a running job out of that state.
    private mutating func leave(_ id: Int64, to state: JobState, scheduledAt: Int64?) {
        jobs[id]?.state = state
        jobs[id]?.token = nil
        jobs[id]?.worker = nil
        jobs[id]?.lease = nil
        if let scheduledAt { jobs[id]?.scheduledAt = scheduledAt }
        if state.isFinal {
            jobs[id]?.finalizedAt = wall
            tell(id)
        }
    }

    /// The job's new state; nil where the lease is no longer good.
    mutating func settle(_ lease: Lease, _ settlement: Settlement, answeredBy: AnsweredBy = .provider) -> JobState? {
        guard holds(lease), let job = jobs[lease.jobID] else { return nil }
        guard settlement.state != .completed else { return answer(job, answeredBy) }
        let isCancelled = job.cancelRequestedAt != nil && !settlement.state.isFinal
        if !settlement.countsAttempt { jobs[job.id]?.attempt -= 1 }
        leave(job.id, to: isCancelled ? .cancelled : settlement.state, scheduledAt: settlement.scheduledAt)
        succeed(job)
        return jobs[job.id]?.state
    }

    /// A job that was to be cancelled, and whose call went on for the sake of others, is.
    private mutating func answer(_ job: ReferenceJob, _ answeredBy: AnsweredBy) -> JobState {
        let isCancelled = job.cancelRequestedAt != nil && isFollowed(job)
        leave(job.id, to: isCancelled ? .cancelled : .completed, scheduledAt: nil)
        if !isCancelled { jobs[job.id]?.answeredBy = answeredBy }
        if isFollowed(job), complete(100, job.question) == 100 { landings.insert(job.question) }
        return isCancelled ? .cancelled : .completed
    }

    /// What becomes of a job that its worker has lost. `hadBegun`: its call; `died`: the worker, in this boot.
    mutating func rescue(_ id: Int64, hadBegun: Bool, died: Bool) {
        guard let job = jobs[id] else { return }
        let state: JobState =
            if job.cancelRequestedAt != nil { .cancelled } else if hadBegun && job.attempt >= job.maxAttempts { .discarded } else {
                .available
            }
        if !hadBegun { jobs[id]?.attempt -= 1 }
        if hadBegun && died { jobs[id]?.crashes += 1 }
        leave(id, to: state, scheduledAt: wall)
        succeed(job)
    }

    // MARK: Flights

    /// The jobs that wait for the answer to a question, in the order in which they get it.
    func followers(_ question: Int) -> [ReferenceJob] {
        jobs.values.filter { $0.follows && $0.question == question }.sorted {
            (lane($0), $0.priority, $0.id) < (lane($1), $1.priority, $1.id)
        }
    }

    private func lane(_ job: ReferenceJob) -> Int { lanes.firstIndex(of: job.queue + " " + job.target) ?? -1 }

    func isFollowed(_ job: ReferenceJob) -> Bool { job.useCache && jobs.values.contains { $0.follows && $0.question == job.question } }

    /// Whether a question is under way whose answer others may have.
    func isFlying(_ question: Int) -> Bool { jobs.values.contains { $0.state == .running && $0.useCache && $0.question == question } }

    mutating func follow(_ id: Int64) {
        jobs[id]?.state = .pending
        jobs[id]?.follows = true
    }

    private mutating func complete(_ limit: Int, _ question: Int) -> Int {
        let followers = followers(question).prefix(limit)
        for job in followers {
            jobs[job.id]?.state = .completed
            jobs[job.id]?.follows = false
            jobs[job.id]?.finalizedAt = wall
            jobs[job.id]?.answeredBy = .coalesced
            tell(job.id)
        }
        return followers.count
    }

    /// One slice of an answer's landing. Returns whether there was one.
    mutating func fanOut(limit: Int) -> Bool {
        guard let question = landings.min() else { return false }
        if complete(limit, question) < limit { landings.remove(question) }
        return true
    }

    /// No answer comes of a job: where no other asks, one in each lane of those that wait for it asks in its place.
    private mutating func succeed(_ job: ReferenceJob) {
        guard job.useCache, !isFlying(job.question), !landings.contains(job.question) else { return }
        var last = -1
        for follower in followers(job.question) where lane(follower) != last {
            last = lane(follower)
            jobs[follower.id]?.state = .available
            jobs[follower.id]?.follows = false
        }
    }

    mutating func expire(limit: Int) -> Int {
        let due = ordered.filter { !$0.state.isFinal && $0.state != .running && $0.expiresAt.map { $0 <= wall } == true }
            .sorted { ($0.expiresAt ?? 0, $0.id) < ($1.expiresAt ?? 0, $1.id) }.prefix(limit)
        for job in due {
            jobs[job.id]?.state = .discarded
            jobs[job.id]?.finalizedAt = wall
            jobs[job.id]?.follows = false
            tell(job.id)
            succeed(job)
        }
        return due.count
    }

    // MARK: Time

    func due(_ state: JobState) -> [ReferenceJob] {
        ordered.filter { $0.state == state && $0.scheduledAt <= wall }.sorted { ($0.scheduledAt, $0.id) < ($1.scheduledAt, $1.id) }
    }

    var nextDue: Int64? { jobs.values.filter { $0.state == .scheduled || $0.state == .retryable }.map(\.scheduledAt).min() }

    mutating func promote(limit: Int) -> Int {
        let due = due(.scheduled).prefix(limit) + due(.retryable).prefix(limit)
        for job in due { jobs[job.id]?.state = .available }
        return due.count
    }

    // MARK: Wishes

    enum Wish: String, CaseIterable {
        case cancel
        case retry
        case delete
    }

    /// What a wish comes to: the state that it changed the job to, or left it in; nil: refused.
    enum Change: Equatable {
        case changed(JobState)
        case unchanged(JobState)
        case refused
        case notFound
    }

    mutating func change(_ wish: Wish, _ id: Int64) -> Change {
        guard let job = jobs[id] else { return .notFound }
        switch wish {
        case .cancel:
            if job.state.isFinal { return .unchanged(job.state) }
            if job.state == .running {
                jobs[id]?.cancelRequestedAt = job.cancelRequestedAt ?? wall
                return .changed(.running)
            }
            jobs[id]?.state = .cancelled
            jobs[id]?.finalizedAt = wall
            jobs[id]?.follows = false
            tell(id)
            succeed(job)
            return .changed(.cancelled)
        case .retry:
            switch job.state {
            case .pending, .available, .running, .completed: return .unchanged(job.state)
            case .scheduled, .retryable:
                jobs[id]?.state = .available
                jobs[id]?.scheduledAt = wall
                return .changed(.available)
            case .cancelled, .discarded:
                if let key = job.uniqueKey, holder(ofKey: key) != nil { return .refused }
                jobs[id]?.attempt = 0
                jobs[id]?.crashes = 0
                jobs[id]?.scheduledAt = wall
                jobs[id]?.cancelRequestedAt = nil
                if let expiresAt = job.expiresAt, expiresAt <= wall { jobs[id]?.expiresAt = nil }
                for (dependency, _) in job.dependencies where jobs[dependency]?.state == .completed {
                    jobs[id]?.dependencies[dependency] = true
                }
                waitAgain(id)
                return .changed(jobs[id]?.state ?? .pending)
            }
        case .delete:
            guard job.state.isFinal, !isNeeded(id) else { return .refused }
            remove(id)
            return .changed(job.state)
        }
    }

    /// Whether a job that has not ended depends on this one.
    func isNeeded(_ id: Int64) -> Bool { dependents(of: id).contains { !$0.state.isFinal } }

    private mutating func remove(_ id: Int64) {
        jobs[id] = nil
        cascades.remove(id)
        for other in jobs.keys { jobs[other]?.dependencies[id] = nil }
    }

    mutating func prune(_ ages: [(JobState, Int64)]) -> Int {
        let old = ages.flatMap { state, age in
            ordered.filter { $0.state == state && ($0.finalizedAt ?? .max) <= wall - age && !isNeeded($0.id) }
        }
        for job in old { remove(job.id) }
        cache = cache.filter { $0.value > wall }
        return old.count
    }

    // MARK: Dependencies

    private mutating func tell(_ id: Int64) {
        if !dependents(of: id).isEmpty { cascades.insert(id) }
    }

    /// A job that had ended goes back to waiting, and on at once if nothing is left that it waits for.
    private mutating func waitAgain(_ id: Int64) {
        jobs[id]?.state = .pending
        jobs[id]?.finalizedAt = nil
        jobs[id]?.cancelledThrough = nil
        release(id)
        for (dependency, isMet) in jobs[id]?.dependencies ?? [:] where !isMet {
            if jobs[dependency]?.state == .cancelled || jobs[dependency]?.state == .discarded { cascades.insert(dependency) }
        }
        tell(id)
    }

    private mutating func release(_ id: Int64) {
        guard let job = jobs[id], job.state == .pending, job.dependencies.values.allSatisfy({ $0 }) else { return }
        // One that was due when it was created is due, though the clock may have been set back since.
        jobs[id]?.state = job.scheduledAt > wall && job.scheduledAt > job.createdAt ? .scheduled : .available
    }

    /// One slice of telling. Returns whether there was something to tell.
    mutating func cascade(limit: Int) -> Bool {
        guard let id = cascades.min(), let state = jobs[id]?.state else { return false }
        var told = 0
        if state == .cancelled || state == .discarded {
            for dependent in dependents(of: id).filter({ $0.dependencies[id] == false && $0.state == .pending }).prefix(limit) {
                jobs[dependent.id]?.state = .cancelled
                jobs[dependent.id]?.finalizedAt = wall
                jobs[dependent.id]?.cancelledThrough = id
                tell(dependent.id)
                succeed(dependent)
                told += 1
            }
        } else {
            for dependent in ordered.filter({ $0.cancelledThrough == id && $0.state == .cancelled }).prefix(limit) {
                if let key = dependent.uniqueKey, holder(ofKey: key) != nil {
                    jobs[dependent.id]?.cancelledThrough = nil
                } else {
                    waitAgain(dependent.id)
                }
                told += 1
            }
            if state == .completed, told < limit {
                for dependent in dependents(of: id).filter({ $0.dependencies[id] == false }).prefix(limit - told) {
                    jobs[dependent.id]?.dependencies[id] = true
                    release(dependent.id)
                    told += 1
                }
            }
        }
        if told < limit { cascades.remove(id) }
        return true
    }
}

/// A job as the reference model has it.
struct ReferenceJob: Equatable {
    var id: Int64
    /// Its lane: queue and target.
    var queue: String
    var target: String
    var state: JobState
    var priority: Int
    var attempt = 0
    var maxAttempts: Int
    var crashes = 0
    var token: Int64?
    var worker: Int64?
    var lease: Int64?
    var createdAt: Int64 = 0
    var scheduledAt: Int64
    var finalizedAt: Int64?
    var expiresAt: Int64?
    var cancelRequestedAt: Int64?
    var cancelledThrough: Int64?
    var uniqueKey: String?
    var batch: String?
    var question: Int
    var useCache: Bool
    /// Whether it waits for the answer to an identical one.
    var follows = false
    /// What its answer came from.
    var answeredBy: AnsweredBy?
    /// The jobs it waits for, and whether each has completed.
    var dependencies: [Int64: Bool] = [:]

    /// Whether two workers died of it.
    var isQuarantined: Bool { crashes >= 2 }
}

/// A worker as the reference model has it.
struct ReferenceWorker {
    var id: Int64
    var bootID: String
    var isAlive = true
    /// Where it notes its calls; given up with its life.
    var calls: CallRegion?
    /// The jobs whose calls it has noted as begun, and where.
    var begun: [Int64: Int] = [:]
}
