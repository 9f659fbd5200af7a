import Foundation
import ServiceLifecycle
import WorkerPool

/// In a process that a supervisor has started: stops when the supervisor ends, which shows as the end of the pipe on
/// standard input.
struct SupervisedChild: Service {
    /// Set in the environment of a supervisor's children.
    static let variable = "AGENT_WORKER_SUPERVISED"

    /// Whether this process is one.
    static var isOne: Bool { ProcessInfo.processInfo.environment[variable] != nil }

    private let worker: Worker

    init(_ worker: Worker) { self.worker = worker }

    func run() async throws {
        guard Self.isOne else { return try await gracefulShutdown() }
        let (end, continuation) = AsyncStream<Void>.makeStream()
        let source = DispatchSource.makeReadSource(fileDescriptor: STDIN_FILENO)
        source.setEventHandler {
            var byte: UInt8 = 0
            if read(STDIN_FILENO, &byte, 1) == 0 {
                source.cancel()
                continuation.finish()
            }
        }
        source.resume()
        for await _ in end.cancelOnGracefulShutdown() {}
        worker.beginShutdown()
        try await gracefulShutdown()
    }
}
