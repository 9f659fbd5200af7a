import ModelCalls
import Synchronization

/// Where a call leaves its outcome.
final class OutcomeBox: Sendable {
    private let outcome = Mutex<Outcome?>(nil)

    /// The outcome, once there is one.
    var value: Outcome? { outcome.withLock { $0 } }

    func set(_ value: Outcome?) { outcome.withLock { $0 = value } }
}
