import AgentQueueModel
import AgentQueueStore
import Synchronization

/// Passes an answer's text on to those who read along, through the database, while it comes: at most one write every
/// ``interval``, whatever the model's pace, and none after the call's end.
final class ReplyStream: Sendable {
    private let state = Mutex("")
    private let signal = WakeSignal()

    /// The shortest time between two writes of one answer.
    static let interval: Duration = .milliseconds(100)

    /// Takes the next piece.
    func add(_ text: String) {
        guard !text.isEmpty else { return }
        state.withLock { $0 += text }
        signal.call()
    }

    /// Writes what comes until ``finish()`` or the task's end, or until the job is another's.
    func pump(_ lease: Lease, to store: QueueStore) async {
        for await _ in signal.stream {
            let text = state.withLock { text in
                defer { text = "" }
                return text
            }
            guard !text.isEmpty else { continue }
            // A piece that cannot be written is only not read along: the whole answer is settled.
            guard let isOurs = try? await store.claims.appendStream(lease, text), isOurs else { return }
            guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
        }
    }

    /// The answer has come to its end; its settlement tells the rest.
    func finish() { signal.finish() }
}
