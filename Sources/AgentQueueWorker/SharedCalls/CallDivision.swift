import AgentQueueModel

/// Whether a call that several jobs shared, and that failed as a whole, is made again in halves: one bad input then fails alone.
struct CallDivision {
    private var callsLeft: Int
    private var wasAnswered = false

    /// Begins, for a call that so many jobs share.
    init(jobs: Int) { callsLeft = 2 * (Int.bitWidth - max(1, jobs).leadingZeroBitCount) + 2 }

    /// Whether so many calls were made as finding one bad input takes, and none was answered.
    var isFutile: Bool { callsLeft <= 0 && !wasAnswered }

    /// A further call has ended.
    mutating func note(wasAnswered: Bool) {
        callsLeft -= 1
        if wasAnswered { self.wasAnswered = true }
    }

    /// How a call failed as a whole; nil where it did not.
    /// - Parameter outcomes: one a job.
    static func failure(of outcomes: [Outcome]) -> FailureClass? {
        var failure: FailureClass?
        for outcome in outcomes {
            guard case .failure(let own) = outcome, own.failure == failure ?? own.failure else { return nil }
            failure = own.failure
        }
        return failure
    }

    /// Decides.
    ///
    /// What the request is to blame for is divided at once. What the server may be to blame for is first tried again whole, by the
    /// queue, and divided in a later attempt; and where both halves fail, the server does so whatever it is sent, and the queue tries
    /// again: a server that is down gets three calls at most.
    /// - Parameters:
    ///   - attempt: the highest number of an attempt among the jobs, from 1. Not the lowest: jobs that come anew would shield a bad one
    ///     for as long as its company's attempts last.
    ///   - isAgain: whether the call was one of two halves.
    ///   - serverWorks: whether the other half was answered.
    static func divides(_ failure: FailureClass, attempt: Int, isAgain: Bool, _ serverWorks: Bool) -> Bool {
        switch failure {
        case .permanent, .refused, .invalidReply: true
        case .retryable, .timedOut: isAgain ? serverWorks : attempt > 1
        default: false
        }
    }
}
