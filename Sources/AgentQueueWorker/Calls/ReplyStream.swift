import AgentQueueModel
import AgentQueueStore
import Synchronization

/// Streams an answer's text through the database to those who follow it. It writes at most once in ``interval``, however fast the model is,
/// and never after the end of the call.
final class ReplyStream: Sendable {
    private let state = Mutex("")
    private let signal = WakeSignal()

    /// The minimum time between two writes of one answer.
    static let interval: Duration = .milliseconds(100)

    /// Adds the next piece.
    func add(_ text: String) {
        guard !text.isEmpty else { return }
        state.withLock { $0 += text }
        signal.call()
    }

    /// Writes new text until ``finish()`` is called, the task is cancelled, or another worker has the job.
    func pump(_ lease: Lease, to store: QueueStore) async {
        for await _ in signal.stream {
            let text = state.withLock { text in
                defer { text = "" }
                return text
            }
            guard !text.isEmpty else { continue }
            // If a piece cannot be written, followers miss the rest of the stream. The settlement still has the whole answer.
            guard let isOurs = try? await store.claims.appendStream(lease, text), isOurs else { return }
            guard (try? await Task.sleep(for: Self.interval)) != nil else { return }
        }
    }

    /// Ends the stream. Followers get the rest from the settlement.
    func finish() { signal.finish() }
}
