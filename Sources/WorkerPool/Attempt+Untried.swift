import JobModel
import ModelCalls

extension Attempt {
    /// As the attempt of a job that was never tried without company: whose fault the failure is has yet to be found.
    var untried: Attempt {
        guard case .failure(var failure) = outcome else { return self }
        failure.failure = .retryable
        var attempt = self
        attempt.outcome = .failure(failure)
        return attempt
    }
}
