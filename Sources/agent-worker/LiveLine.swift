import AgentQueue
import AgentQueueModel
import AgentQueueReports
import AgentQueueWorker
import Foundation
import ServiceLifecycle
import Synchronization

/// Shows a status line on a terminal. A supervised worker reports its figures to its supervisor instead, which shows one line for all.
final class LiveLine: Service {
    private let worker: WorkerService
    private let output: LogOutput
    private let figures = Mutex(LiveFigures())

    /// How often the line changes.
    private static let interval = Duration.milliseconds(500)

    init(_ worker: WorkerService, output: LogOutput) {
        self.worker = worker
        self.output = output
    }

    func run() async throws {
        guard output.isTerminal else { return try await gracefulShutdown() }
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                self.report()
                // Cancellation ends the loop.
                try? await Task.sleep(for: Self.interval)
            }
        }
        report()
        if !SupervisedChild.isOne { output.endLine() }
    }

    private func report() {
        let report = ProgressReport(worker.progress, left: worker.jobsLeft)
        guard !SupervisedChild.isOne else { return output.control(report.json) }
        output.show(
            figures.withLock { figures in
                figures.update([report], now: .now)
                return figures.line
            })
    }
}

/// What one worker process has done, and what is left for all.
struct ProgressReport: Sendable, Equatable {
    var running = 0
    var done = 0
    var failed = 0
    var cached = 0
    /// The known costs, in US dollars.
    var cost = 0.0
    /// Calls whose price is unknown.
    var unpriced = 0
    /// Jobs that are not done yet, in the queues of the worker; nil if they could not be read.
    var left: Int?

    init() {}

    init(_ progress: WorkerProgress, left: Int?) {
        running = progress.running
        done = progress.completed
        failed = progress.failed
        cached = progress.cached
        cost = progress.cost
        unpriced = progress.unpriced
        self.left = left
    }

    /// Nil if the text is not a report.
    init?(_ text: String) {
        guard let value = try? JSONValue.parse(text), let running = value["running"]?.int, let done = value["done"]?.int,
            let failed = value["failed"]?.int, let cached = value["cached"]?.int, let cost = value["cost_usd"]?.number
        else { return nil }
        (self.running, self.done, self.failed, self.cached, self.cost) = (running, done, failed, cached, cost)
        unpriced = value["unpriced"]?.int ?? 0
        left = value["left"]?.int
    }

    var json: JSONValue {
        .object([
            .init("running", .integer(Int64(running))), .init("done", .integer(Int64(done))), .init("failed", .integer(Int64(failed))),
            .init("cached", .integer(Int64(cached))), .init("cost_usd", .double(cost)),
            .init("unpriced", .integer(Int64(unpriced))),
            .init("left", left.map { .integer(Int64($0)) } ?? .null),
        ])
    }

    /// Adds what another process has done. What is left is the same for all.
    mutating func add(_ other: ProgressReport) {
        running += other.running
        done += other.done
        failed += other.failed
        cached += other.cached
        cost += other.cost
        unpriced += other.unpriced
        left = other.left ?? left
    }
}

/// The status line: figures of all worker processes, the rate of the last minute, and when everything will be done.
struct LiveFigures {
    private var total = ProgressReport()
    /// How much was done when, over the last minute, oldest first.
    private var samples: [(time: ContinuousClock.Instant, done: Int)] = []

    /// What the rate is measured over.
    private static let window = Duration.seconds(60)

    /// - Parameter reports: one of each process, those that have ended included.
    mutating func update(_ reports: [ProgressReport], now: ContinuousClock.Instant) {
        total = ProgressReport()
        for report in reports { total.add(report) }
        samples.append((now, total.done))
        while samples.count > 2, now - samples[1].time >= Self.window { samples.removeFirst() }
    }

    /// Jobs a second; 0 until it is known.
    var rate: Double {
        guard let first = samples.first, let last = samples.last else { return 0 }
        let seconds = Double((last.time - first.time).milliseconds) / 1_000
        return seconds > 0 ? Double(last.done - first.done) / seconds : 0
    }

    var line: String {
        var parts = ["running \(Figures.count(total.running))", "done \(Figures.count(total.done))"]
        if let left = total.left { parts.append("left \(Figures.count(left))") }
        // Slow models are counted by the minute.
        let isSlow = rate > 0 && rate < 0.1
        parts.append(isSlow ? "\(Figures.decimal(rate * 60, places: 1))/min" : "\(Figures.decimal(rate, places: rate < 10 ? 1 : 0))/s")
        if let left = total.left, left > 0, rate > 0 { parts.append("ETA \(Figures.coarse(seconds: Int64(Double(left) / rate) + 1))") }
        if total.failed > 0 { parts.append("failed \(Figures.count(total.failed))") }
        if total.cached > 0 { parts.append("cached \(Figures.count(total.cached))") }
        parts.append(total.cost == 0 && total.unpriced > 0 ? "cost unknown" : Figures.money(total.cost, unpriced: total.unpriced))
        return parts.joined(separator: " · ")
    }
}
