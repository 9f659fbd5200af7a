import AgentQueueModel
import AgentQueueStore
import Logging

/// Fills the buffers of streamed answers whose calls other processes make, from the pieces that these leave in the file. They carry the
/// text; the rest comes with the result.
struct FilePieces: Sendable {
    private let store: QueueStore
    private let broker: ReplyBroker
    private let logger: Logger

    /// The shortest time between two queries.
    private static let pause: Duration = .milliseconds(2)

    init(_ store: QueueStore, _ broker: ReplyBroker, logger: Logger) {
        self.store = store
        self.broker = broker
        self.logger = logger
    }

    /// How far a job's pieces have been read.
    private struct Place {
        var buffer: ReplyBuffer
        var sequence: Int64 = 0
        /// The attempt that they belong to.
        var token: Int64?
        var add: (@Sendable (ReplyEvent) -> Void)?
    }

    /// Reads what there is whenever the bell rings, until the task is cancelled or the store closes.
    func run() async {
        var places: [Int64: Place] = [:]
        for await _ in store.changes(of: .done) {
            let viewed = broker.viewed
            places = places.filter { viewed[$0.key] === $0.value.buffer }
            do {
                for (job, buffer) in viewed where !buffer.isFilledHere { try read(job, &places[job, default: Place(buffer: buffer)]) }
            } catch {
                // The next ring, or the beat within a second, reads on.
                logger.warning("the pieces of answers could not be read", metadata: ["error": "\(error)"])
            }
            guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
        }
    }

    private func read(_ job: Int64, _ place: inout Place) throws {
        let page = try store.jobs.stream(of: job, after: place.sequence)
        place.sequence = page.lastSequence
        guard let token = page.token else { return }
        if token != place.token {
            place.token = token
            place.add = place.buffer.begin()
            place.add?(.begin(model: nil, id: nil, native: nil))
        }
        for text in page.chunks { place.add?(.text(text)) }
    }
}
