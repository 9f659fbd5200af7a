import JobModel
import ModelCalls

extension ModelFailure {
    /// The same, of an answer to the request that makes a batch: whether the batch may be there all the same.
    ///
    /// A good status with what cannot be read says that it is, and a server's error, or a gateway's before it, may come when it is
    /// there already. To ask costs nothing, and to send twice does.
    /// - Parameter status: the answer's.
    func ofSubmission(status: Int) -> ModelFailure {
        var failure = self
        failure.calls = 0
        failure.isMaybePaid = (200..<300).contains(status) || (status >= 500 && failure.failure != .overloaded)
        return failure
    }
}
