import ServiceLifecycle
import UnixSignals
import WorkerPool

/// The first SIGTERM or SIGINT stops in good order; the second at once.
struct SecondSignal: Service {
    private let worker: Worker

    init(_ worker: Worker) { self.worker = worker }

    func run() async throws {
        var count = 0
        for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint).cancelOnGracefulShutdown() {
            count += 1
            if count >= 2 { worker.stopAtOnce() }
        }
    }
}
