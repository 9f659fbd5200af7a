import AgentQueueModel

/// What a request finds of earlier ones like it.
enum EarlierCall {
    case none
    case call(AttachableCall, Attachment)
    /// Its idempotency key belongs to this job's request, which is another.
    case conflict(Int64)
}

/// A call that a request may attach to.
struct AttachableCall {
    struct Job {
        var id: Int64
        var state: JobState
        var endedAt: Int64?
        var expiresAt: Int64?
        /// When its cancellation was requested, or done; nil if it was not.
        var cancelledAt: Int64?
        /// Why it ended without an answer; nil if it did not.
        var failure: FailureClass?

        /// Whether it ended, or will, because nobody wanted its answer any more.
        var isAbandoned: Bool { cancelledAt != nil || failure == .expired }
    }

    var id: Int64
    var attach: [UInt8]
    var server: Int64
    /// How many clients have waited for it.
    var clients: Int64
    var isShared: Bool
    var receivedAt: Int64?
    var lostAt: Int64?
    var responseID: String?
    /// In the order of the samples.
    var jobs: [Job]

    var isUnfinished: Bool { jobs.contains { !$0.state.isFinal } }
    var isCompleted: Bool { jobs.allSatisfy { $0.state == .completed } }
    /// When its last job ended; nil if one has not.
    private var endedAt: Int64? { isUnfinished ? nil : jobs.compactMap(\.endedAt).max() }

    /// Whether a client waits for it.
    func isWatched(_ locks: LockFile) -> Bool { receivedAt == nil && !isLost(locks) }

    /// Whether all its clients have left, or were connected to a process that has ended.
    func isLost(_ locks: LockFile) -> Bool { lostAt != nil || !locks.isAlive(worker: server) }

    /// Whether a request with its idempotency key gets what became of it. If it failed and the request was not to blame, the request is
    /// made anew.
    var answersItsKey: Bool {
        guard !jobs.contains(where: \.isAbandoned) else { return false }
        return isUnfinished || jobs.allSatisfy { $0.failure?.isRequestsFault ?? true }
    }

    /// Whether a retry of its request gets what becomes of it. What was cancelled while its client waited is not begun anew by the client's
    /// SDK; what was cancelled because its client had left is.
    func answersRetry(now: Int64, window: Int64) -> Bool {
        let wasWanted = jobs.allSatisfy { job in job.cancelledAt.map { $0 < lostAt ?? .max } ?? !job.isAbandoned }
        guard wasWanted else { return false }
        guard let endedAt else { return true }
        return endedAt > now - window && (isCompleted || receivedAt == nil)
    }

    /// Whether any request like its own gets what becomes of it, since it has lost its clients.
    func answersAny(now: Int64, window: Int64, _ locks: LockFile) -> Bool {
        guard !jobs.contains(where: \.isAbandoned) else { return false }
        if let endedAt { guard endedAt > now - window, receivedAt == nil else { return false } }
        return isLost(locks)
    }
}

extension FailureClass {
    /// Whether the same request would fail the same way again.
    fileprivate var isRequestsFault: Bool { self == .permanent || self == .refused }
}

extension WriteTransaction {
    /// The most calls of one request that are looked at, the newest first.
    private static let mostEarlierCalls = 32

    /// Finds the call that a request attaches to.
    func earlier(like submission: GatewaySubmission, _ locks: LockFile) throws -> EarlierCall {
        let windows = submission.windows
        // A client that sends a key says by it which requests are the same.
        if let key = submission.idempotencyKey {
            guard let call = try call(ofKey: submission.key, key, after: now - windows.idempotency) else { return .none }
            guard call.attach == submission.attach else { return .conflict(call.id) }
            guard call.answersItsKey, call.jobs.count == submission.jobs.count else { return .none }
            return .call(call, .idempotency)
        }
        let calls = try calls(like: submission).filter { $0.jobs.count == submission.jobs.count }
        guard !calls.isEmpty else { return .none }
        if submission.isRetry {
            let found = calls.filter { $0.answersRetry(now: now, window: windows.ended) }
            // The one whose client has gone is the one that this client sent.
            if let call = found.first(where: { !$0.isWatched(locks) }) ?? found.first { return .call(call, .retry) }
        }
        let lost = calls.first { $0.answersAny(now: now, window: windows.ended, locks) }
        return lost.map { .call($0, .lost) } ?? .none
    }

    private static let values = """
        SELECT job_id, attach, server_id, is_shared, received_at, lost_at, response_id, state, finalized_at, expires_at, cancel_requested_at,
        clients, CASE WHEN state IN ('cancelled', 'discarded')
            THEN (SELECT class FROM job_errors WHERE job_errors.job_id = jobs.id ORDER BY job_errors.id DESC LIMIT 1) END
        """
    private static let columns = "\(values) FROM gateway_calls CROSS JOIN jobs ON jobs.id = job_id"
    private static let byKey = SQLText(
        """
        \(columns) WHERE key_id = ? AND idempotency_key = ? AND choice = 0 AND idempotency_key IS NOT NULL AND created_at > ?
        ORDER BY job_id DESC LIMIT 1
        """)
    /// An answer that a client has been sent is only for retries: those of requests that are often repeated need not be read.
    private static let byAttach = SQLText(
        """
        \(values) FROM (
            SELECT job_id, attach, server_id, is_shared, received_at, lost_at, response_id, clients FROM gateway_calls
            WHERE attach = ? AND choice = 0 ORDER BY job_id DESC LIMIT ?
        ) AS newest CROSS JOIN jobs ON jobs.id = job_id
        WHERE ? = 1 OR received_at IS NULL OR finalized_at IS NULL
        """)
    private static let choices = SQLText("\(columns) WHERE call_id = ? AND choice > 0 ORDER BY choice")

    private func call(ofKey owner: Int64, _ key: String, after time: Int64) throws(SQLFailure) -> AttachableCall? {
        guard let call = try statement(Self.byKey).bind(owner).bind(key).bind(time).first({ AttachableCall($0) }) else { return nil }
        return try withChoices(call)
    }

    /// The newest calls that a request is like and may attach to, the newest first.
    private func calls(like submission: GatewaySubmission) throws(SQLFailure) -> [AttachableCall] {
        // They are few, and sorted here: nothing keeps the order of the inner query, and a sort in SQL builds a tree.
        let calls = try statement(Self.byAttach).bind(submission.attach).bind(Self.mostEarlierCalls).bind(submission.isRetry)
            .all { AttachableCall($0) }
            .sorted { ($0.jobs.first?.id ?? 0) > ($1.jobs.first?.id ?? 0) }
        guard submission.jobs.count > 1 else { return calls }
        var whole: [AttachableCall] = []
        for call in calls { whole.append(try withChoices(call)) }
        return whole
    }

    private func withChoices(_ call: AttachableCall) throws(SQLFailure) -> AttachableCall {
        var call = call
        call.jobs += try statement(Self.choices).bind(call.id).all { AttachableCall.Job($0) }
        return call
    }
}

extension AttachableCall {
    fileprivate init(_ row: Statement) {
        id = row.int64(0)
        attach = row.blob(1)
        server = row.int64(2)
        clients = row.int64(11)
        isShared = row.bool(3)
        receivedAt = row.optionalInt64(4)
        lostAt = row.optionalInt64(5)
        responseID = row.optionalText(6)
        jobs = [Job(row)]
    }
}

extension AttachableCall.Job {
    fileprivate init(_ row: Statement) {
        id = row.int64(0)
        state = JobState(rawValue: row.text(7)) ?? .available
        endedAt = row.optionalInt64(8)
        expiresAt = row.optionalInt64(9)
        cancelledAt = row.optionalInt64(10) ?? (state == .cancelled ? endedAt : nil)
        failure = row.optionalText(12).map { FailureClass(rawValue: $0) ?? .permanent }
    }
}
