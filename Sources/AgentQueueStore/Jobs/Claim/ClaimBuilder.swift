import AgentQueueModel

/// The state of one round of claiming.
struct ClaimBuilder {
    let request: ClaimRequest
    var round = ClaimRound()
    /// The token of jobs that have calls of their own; drawn for the first of them.
    var token: Int64?
    var latestToken: Int64?
    /// How many more jobs the round may refuse for their cost. A lane may hold any number of such jobs, so a round is bounded.
    var withdrawals = 100
    /// How many jobs were left to wait for an identical job's answer.
    var followers = 0
    /// How many jobs were left to wait for a provider batch.
    var collected = 0
    var deferred: Int { followers + collected }
    /// The digests that this round's jobs lead.
    private var led: Set<[UInt8]> = []
    /// Whether a job of the current lane was put back because the rest of its batch's budget is reserved for calls under way. The lane's
    /// next jobs would meet the same limit.
    var isTight = false

    init(_ request: ClaimRequest) {
        self.request = request
        round.waits = request.waits
    }

    /// The lanes whose open calls have been filled up.
    var filled: Set<Int64> = []

    /// Whether the round has done so much that other writers should have their turn.
    var isLong: Bool { withdrawals <= 0 || deferred >= Self.maxDeferred || round.jobs.count >= Self.maxJobs }

    /// Bounds a round of shared calls, to keep its transaction short.
    static let maxJobs = 1_000
    /// How many jobs a round may defer (a sweep may exceed it) and how many one sweep looks at, to keep the transaction short.
    static let maxDeferred = 500
    static let sweepLength = 200

    /// Returns whether a job is the first of its digest in this round.
    mutating func leads(_ digest: [UInt8]) -> Bool { led.insert(digest).inserted }

    /// Returns whether a job of this digest was claimed in this round in order to be called for.
    func isLed(_ digest: [UInt8]) -> Bool { led.contains(digest) }

    /// Call this when the leader of a digest was put back; the next job of the digest then leads.
    mutating func leadsNoMore(_ digest: [UInt8]) { led.remove(digest) }

    mutating func noteOpening(_ time: Int64?) {
        guard let time else { return }
        round.nextOpening = min(round.nextOpening ?? time, time)
    }
}

struct ReadyLane {
    var id: Int64
    var kind: JobKind
    var target: Target
    /// The priority of its first job; nil if only quarantined jobs are ready.
    var head: Int?
    var hasQuarantined: Bool
    var served: Int64
    /// The latest pause of its queue that has ended.
    var lastPause: ClosedRange<Int64>?
    /// The key whose limits hold for its jobs; nil if there are none.
    var key: Int64?
}
