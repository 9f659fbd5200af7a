import JobModel
import ModelCalls

/// Whether a call that several jobs shared, and that failed as a whole, is made again in halves: one bad input then fails alone.
enum CallDivision {
    /// Decides.
    ///
    /// What the request is to blame for is divided at once. What the server may be to blame for is first tried again whole, by the
    /// queue, and divided in a later attempt: a server that is down would else get twice the calls.
    /// - Parameters:
    ///   - outcomes: one a job.
    ///   - attempt: the lowest number of an attempt among the jobs, from 1.
    static func divides(_ outcomes: [Outcome], attempt: Int) -> Bool {
        guard outcomes.count > 1 else { return false }
        var failure: FailureClass?
        for outcome in outcomes {
            guard case .failure(let own) = outcome, own.failure == failure ?? own.failure else { return false }
            failure = own.failure
        }
        switch failure {
        case .permanent, .refused, .invalidReply: return true
        case .retryable, .timedOut: return attempt > 1
        default: return false
        }
    }

    /// Whether the second half is still worth dividing after the first has failed again: not where the server fails whatever it is
    /// sent.
    static func goesOn(after failure: FailureClass?) -> Bool { failure != .retryable && failure != .timedOut }
}
