import AgentQueueModel

/// Decides whether a shared call that failed as a whole is repeated in halves, so that a bad input fails alone.
struct CallDivision {
    private var callsLeft: Int
    private var wasAnswered = false

    /// Starts with a call that a number of jobs share.
    init(jobs: Int) { callsLeft = 2 * (Int.bitWidth - max(1, jobs).leadingZeroBitCount) + 2 }

    /// Whether as many calls failed as it takes to find one bad input, and none was answered.
    var isFutile: Bool { callsLeft <= 0 && !wasAnswered }

    /// Records the end of another call.
    mutating func note(wasAnswered: Bool) {
        callsLeft -= 1
        if wasAnswered { self.wasAnswered = true }
    }

    /// The failure that all outcomes have in common; nil if there is none.
    /// - Parameter outcomes: one for each job.
    static func failure(of outcomes: [Outcome]) -> FailureClass? {
        var failure: FailureClass?
        for outcome in outcomes {
            guard case .failure(let own) = outcome, own.failure == failure ?? own.failure else { return nil }
            failure = own.failure
        }
        return failure
    }

    /// Whether a failed call is repeated in halves.
    ///
    /// A failure that the request may cause is divided at once. A failure that the server may cause is first retried as a whole by the queue
    /// and divided in a later attempt. If both halves fail, the server fails regardless of what it is sent, and the queue retries: a server
    /// that is down gets three calls at most.
    /// - Parameters:
    ///   - attempt: the highest attempt number among the jobs, from 1. The lowest would let new jobs shield a bad one.
    ///   - isAgain: whether the call was a half.
    ///   - serverWorks: whether the other half was answered.
    static func divides(_ failure: FailureClass, attempt: Int, isAgain: Bool, _ serverWorks: Bool) -> Bool {
        switch failure {
        case .permanent, .refused, .invalidReply: true
        case .retryable, .timedOut: isAgain ? serverWorks : attempt > 1
        default: false
        }
    }
}
