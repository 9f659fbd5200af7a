import AgentQueue
import AgentQueueModel
import AgentQueueSettings
import ArgumentParser
import Foundation
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Starts worker processes, restarts those that die, and passes signals on. Never opens the database: a process that has it
/// open must not fork.
final class Supervisor: Sendable {
    private let processes: Int
    private let concurrency: Int
    private let drains: Bool
    private let output: LogOutput
    private let state = Mutex(State())

    private struct State {
        var children: [Int: pid_t] = [:]
        var isStopping = false
        /// The latest report of each process, and what processes had done that have ended.
        var reports: [Int: ProgressReport] = [:]
        var ended = ProgressReport()
        var figures = LiveFigures()
    }

    private enum Event: Sendable {
        case signal(UnixSignal)
        case ended(place: Int, status: Int32, ran: Duration)
        case restart(place: Int)
    }

    /// Delay before restarting a child that died quickly; doubles up to the maximum.
    private static let firstRestart = Duration.milliseconds(200)
    private static let longestRestart = Duration.seconds(30)
    /// A child that lived this long starts again with the shortest delay.
    private static let healthyLife = Duration.seconds(10)

    /// - Parameter drains: Whether a child that exits successfully is done and is not restarted.
    init(processes: Int, concurrency: Int, drains: Bool, output: LogOutput) {
        self.processes = processes
        self.concurrency = concurrency
        self.drains = drains
        self.output = output
    }

    /// Runs until all children have ended, after a signal or because they are drained.
    /// - Throws: If a child cannot be started; `ExitCode` if children are drained but leave jobs that none of them can serve, or if none of
    ///   them can run.
    func run() async throws {
        output.event(
            .info, "\(processes) worker processes, \(processes * concurrency) calls at once (\(processes) × \(concurrency))",
            ["processes": .stringConvertible(processes), "concurrency": .stringConvertible(processes * concurrency)])
        defer { output.endLine() }
        var leftJobs = false
        let (events, continuation) = AsyncStream<Event>.makeStream()
        // Children have its read end as standard input and notice when this process ends.
        let lifeline = try Lifeline()
        let signals = await UnixSignalsSequence(trapping: StopSignals.asked)
        var stopSignals = StopRequests()
        // The exit codes of processes that have ended and would end so again.
        var failed: [Int: Int32] = [:]
        try await withThrowingTaskGroup { group in
            group.addTask { for await signal in signals { continuation.yield(.signal(signal)) } }
            for place in 0..<processes { try start(place, lifeline, continuation) }
            var delays: [Int: Duration] = [:]
            var drained: Set<Int> = []
            for await event in events {
                switch event {
                case .signal:
                    state.withLock { $0.isStopping = true }
                    switch stopSignals.request() {
                    case .stop: send(StopSignals.passedOn.stop)
                    case .stopAtOnce: send(StopSignals.passedOn.stopAtOnce)
                    case .repeated: break
                    }
                case .restart(let place):
                    guard !isStopping else { break }
                    do {
                        try start(place, lifeline, continuation)
                    } catch {
                        // The other children keep running; this one is tried again.
                        output.event(.error, "\(error); trying again in \(DurationText.format(Self.longestRestart))", [:])
                        group.addTask {
                            try await Task.sleep(for: Self.longestRestart)
                            continuation.yield(.restart(place: place))
                        }
                    }
                case .ended(let place, let status, let ran):
                    let isDrained = drains && (status == 0 || status == SupervisedChild.leftJobs)
                    if drains, status == SupervisedChild.leftJobs { leftJobs = true }
                    if isDrained { drained.insert(place) }
                    failed[place] = !isDrained && WorkerExit.permanent.contains(status) ? status : nil
                    guard !isStopping, !isDrained, failed.count + drained.count < processes else { break }
                    let delay =
                        failed[place] != nil
                        ? Self.longestRestart
                        : ran > Self.healthyLife
                            ? Self.firstRestart : min((delays[place] ?? .zero) * 2 + Self.firstRestart, Self.longestRestart)
                    delays[place] = delay
                    output.event(
                        .warning, "worker process \(place + 1) exited with \(status); restarting in \(DurationText.format(delay))",
                        ["process": .stringConvertible(place + 1), "status": .stringConvertible(status)])
                    group.addTask {
                        try await Task.sleep(for: delay)
                        continuation.yield(.restart(place: place))
                    }
                }
                let living = state.withLock { $0.children.count }
                if living == 0, isStopping || failed.count + drained.count == processes { break }
            }
            group.cancelAll()
        }
        if !isStopping, let (place, status) = failed.min(by: { $0.key < $1.key }) {
            output.event(
                .error, "worker process \(place + 1) exited with \(status) and would again; no other is left",
                ["process": .stringConvertible(place + 1), "status": .stringConvertible(status)])
            throw ExitCode(status)
        }
        if leftJobs { throw ExitCode(WorkerExit.unavailable) }
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func start(_ place: Int, _ lifeline: Lifeline, _ events: AsyncStream<Event>.Continuation) throws {
        let named = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // The file may have been replaced by an upgrade; then start the running program, which the kernel still has.
        let program = FileManager.default.isExecutableFile(atPath: named) ? named : "/proc/self/exe"
        var environment = ProcessInfo.processInfo.environment
        environment[SupervisedChild.variable] = "\(place + 1)"
        environment[SupervisedChild.shownVariable] = output.isTerminal ? "1" : nil
        let began = ContinuousClock.now
        // On a terminal, only this process writes there: one status line for all, below the log lines of all.
        let pipe = output.isTerminal ? try LinePipe() : nil
        let pid = try SpawnedProcess.start(
            program, Array(CommandLine.arguments.dropFirst()), environment: environment, input: lifeline.readingEnd,
            error: pipe?.writingEnd)
        state.withLock { $0.children[place] = pid }
        pipe?.read { [self] line in take(line, from: place) }
        Thread.detachNewThread { [self] in
            SpawnedProcess.waitForEnd(of: pid)
            // Reaped under the lock that signals are sent under, so that no signal reaches a process that reuses the ID.
            let status = state.withLock { state in
                state.children[place] = nil
                if var report = state.reports.removeValue(forKey: place) {
                    report.running = 0
                    state.ended.add(report)
                }
                return SpawnedProcess.reap(pid)
            }
            events.yield(.ended(place: place, status: status, ran: ContinuousClock.now - began))
        }
    }

    private func send(_ signal: UnixSignal) {
        state.withLock { state in
            for pid in state.children.values { kill(pid, signal.rawValue) }
        }
    }

    /// Takes a line that a child has written: a report, or a line of its log.
    private func take(_ line: String, from place: Int) {
        guard line.hasPrefix(LogOutput.controlMark) else { return output.pass(line) }
        guard let report = ProgressReport(String(line.dropFirst(LogOutput.controlMark.count))) else { return }
        let text = state.withLock { state in
            state.reports[place] = report
            state.ended.left = nil
            // The latest report comes last: what is left is the same for all.
            let others = state.reports.filter { $0.key != place }.map(\.value)
            state.figures.update([state.ended] + others + [report], now: .now)
            return state.figures.line
        }
        output.show(text)
    }
}

/// Stops a supervised worker when its supervisor ends, which closes the pipe on standard input.
struct SupervisedChild: Service {
    /// Set in the environment of a supervisor's children: the number of the process, from 1.
    static let variable = "AGENT_WORKER_SUPERVISED"
    /// Set where the supervisor shows a status line, for which its children send reports.
    static let shownVariable = "AGENT_WORKER_SHOWN"
    /// The exit code of a drained child that leaves jobs which it cannot serve.
    static let leftJobs: Int32 = 3

    /// Whether this process is one.
    static var isOne: Bool { ProcessInfo.processInfo.environment[variable] != nil }

    /// Whether the supervisor shows a status line.
    static var isShown: Bool { isOne && ProcessInfo.processInfo.environment[shownVariable] != nil }

    /// Whether this process says what all of them would say.
    static var speaks: Bool { ["1", nil].contains(ProcessInfo.processInfo.environment[variable]) }

    private let worker: WorkerService

    init(_ worker: WorkerService) { self.worker = worker }

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
