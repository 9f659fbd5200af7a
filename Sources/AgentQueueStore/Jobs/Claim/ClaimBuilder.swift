import AgentQueueModel

/// One round of claiming, under way.
struct ClaimBuilder {
    let request: ClaimRequest
    var round = ClaimRound()
    /// The token of the jobs that have calls of their own; drawn with the first.
    var token: Int64?
    /// The latest token that was drawn.
    var latestToken: Int64?
    /// How many jobs may still be turned away for their cost: a lane may hold any number of them.
    var withdrawals = 100
    /// How many jobs were found to wait for an identical one's answer.
    var followers = 0
    /// How many were put to wait for a provider's batch.
    var collected = 0
    /// How many will wait for something else than a call of their own.
    var deferred: Int { followers + collected }
    /// The digests of what it claimed.
    private var led: Set<[UInt8]> = []
    /// Whether a job of the lane at hand was put back because what is left of its batch's budget is set aside for calls under way:
    /// the next ones would be too.
    var isTight = false

    init(_ request: ClaimRequest) { self.request = request }

    /// The lanes whose calls that wait for company were looked after.
    var filled: Set<Int64> = []

    /// Whether the round has done so much that others should have their turn.
    var isLong: Bool { withdrawals <= 0 || deferred >= Self.maxDeferred || round.jobs.count >= Self.maxJobs }

    /// The most jobs that a round claims where they share calls: its transaction must be short.
    static let maxJobs = 1_000
    /// The most jobs that a round sets aside, give or take a sweep, and how many one sweep looks at: a round must be short.
    static let maxDeferred = 500
    static let sweepLength = 200

    /// Whether a job is the first of its digest in this round.
    mutating func leads(_ digest: [UInt8]) -> Bool { led.insert(digest).inserted }

    /// Whether a job of that digest was claimed in this round, to be called for.
    func isLed(_ digest: [UInt8]) -> Bool { led.contains(digest) }

    /// The first of its digest was put back: the next one leads.
    mutating func leadsNoMore(_ digest: [UInt8]) { led.remove(digest) }

    mutating func noteOpening(_ time: Int64?) {
        guard let time else { return }
        round.nextOpening = min(round.nextOpening ?? time, time)
    }
}

/// A lane that has ready jobs.
struct ReadyLane {
    var id: Int64
    var kind: JobKind
    var target: Target
    /// The priority of its first job; nil where only jobs that must run alone are ready.
    var head: Int?
    var hasQuarantined: Bool
    var served: Int64
}
