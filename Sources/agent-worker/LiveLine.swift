import AgentQueue
import ServiceLifecycle
import WorkerPool

/// On a terminal, one line that shows what the worker is doing.
struct LiveLine: Service {
    private let worker: Worker
    private let output: LogOutput

    init(_ worker: Worker, output: LogOutput) {
        self.worker = worker
        self.output = output
    }

    func run() async throws {
        guard output.isTerminal else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown {
            var last = (time: ContinuousClock.now, done: 0)
            while !Task.isCancelled {
                let progress = worker.progress
                let now = ContinuousClock.now
                let seconds = Double((now - last.time).milliseconds) / 1_000
                let rate = seconds > 0 ? Double(progress.completed - last.done) / seconds : 0
                last = (now, progress.completed)
                output.show(Self.line(progress, rate: rate))
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
        output.show(Self.line(worker.progress, rate: 0) + "\n")
    }

    private static func line(_ progress: WorkerProgress, rate: Double) -> String {
        let tenths = (rate * 10).rounded() / 10
        let cents = (progress.cost * 10_000).rounded() / 10_000
        return
            "running \(progress.running) · done \(progress.completed) (\(tenths)/s) · failed \(progress.failed) · cached \(progress.cached) · $\(cents)"
    }
}
