import ModelCalls
import Synchronization

/// What a call that several jobs share came to, carried out of its task.
final class SharedOutcomes: Sendable {
    private let stored = Mutex<[Outcome]>([])

    var values: [Outcome] { stored.withLock { $0 } }

    func set(_ outcomes: [Outcome]) { stored.withLock { $0 = outcomes } }
}
