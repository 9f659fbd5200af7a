import AgentQueue
import Foundation
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Starts worker processes, restarts those that die, and passes signals on. Never opens the database: a process that has it
/// open must not fork.
final class Supervisor: Sendable {
    private let processes: Int
    private let drains: Bool
    private let state = Mutex(State())

    private struct State {
        var children: [Int: pid_t] = [:]
        var isStopping = false
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
    init(processes: Int, drains: Bool) {
        self.processes = processes
        self.drains = drains
    }

    /// Runs until all children have ended, after a signal or because they are drained.
    /// - Throws: If a child cannot be started.
    func run() async throws {
        let (events, continuation) = AsyncStream<Event>.makeStream()
        // Children have its read end as standard input and notice when this process ends.
        let lifeline = try Lifeline()
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup { group in
            group.addTask { for await signal in signals { continuation.yield(.signal(signal)) } }
            for place in 0..<processes { try start(place, lifeline, continuation) }
            var delays: [Int: Duration] = [:]
            var drained: Set<Int> = []
            for await event in events {
                switch event {
                case .signal(let signal):
                    state.withLock { $0.isStopping = true }
                    forward(signal)
                case .restart(let place):
                    guard !isStopping else { break }
                    do {
                        try start(place, lifeline, continuation)
                    } catch {
                        // The other children keep running; this one is tried again.
                        Self.say("\(error); retrying in \(Self.longestRestart)")
                        group.addTask {
                            try await Task.sleep(for: Self.longestRestart)
                            continuation.yield(.restart(place: place))
                        }
                    }
                case .ended(let place, let status, let ran):
                    let isDrained = drains && status == 0
                    if isDrained { drained.insert(place) }
                    guard !isStopping, !isDrained else { break }
                    let delay =
                        ran > Self.healthyLife
                        ? Self.firstRestart : min((delays[place] ?? .zero) * 2 + Self.firstRestart, Self.longestRestart)
                    delays[place] = delay
                    Self.say("worker process \(place + 1) exited with \(status); restarting in \(delay)")
                    group.addTask {
                        try await Task.sleep(for: delay)
                        continuation.yield(.restart(place: place))
                    }
                }
                let living = state.withLock { $0.children.count }
                if living == 0, isStopping || drained.count == processes { break }
            }
            group.cancelAll()
        }
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func start(_ place: Int, _ lifeline: Lifeline, _ events: AsyncStream<Event>.Continuation) throws {
        let named = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        // The file may have been replaced by an upgrade; then start the running program, which the kernel still has.
        let program = FileManager.default.isExecutableFile(atPath: named) ? named : "/proc/self/exe"
        var environment = ProcessInfo.processInfo.environment
        environment[SupervisedChild.variable] = "1"
        let began = ContinuousClock.now
        let pid = try SpawnedProcess.start(
            program, Array(CommandLine.arguments.dropFirst()), environment: environment, input: lifeline.readingEnd)
        state.withLock { $0.children[place] = pid }
        Thread.detachNewThread { [self] in
            SpawnedProcess.waitForEnd(of: pid)
            // Reaped under the lock that signals are sent under, so that no signal reaches a process that reuses the ID.
            let status = state.withLock { state in
                state.children[place] = nil
                return SpawnedProcess.reap(pid)
            }
            events.yield(.ended(place: place, status: status, ran: ContinuousClock.now - began))
        }
    }

    private func forward(_ signal: UnixSignal) {
        state.withLock { state in
            for pid in state.children.values { kill(pid, signal == .sigint ? SIGINT : SIGTERM) }
        }
    }

    private static func say(_ sentence: String) {
        FileHandle.standardError.write(Data("agent-worker: \(sentence)\n".utf8))
    }
}

/// Stops a supervised worker when its supervisor ends, which closes the pipe on standard input.
struct SupervisedChild: Service {
    /// Set in the environment of a supervisor's children.
    static let variable = "AGENT_WORKER_SUPERVISED"

    /// Whether this process is one.
    static var isOne: Bool { ProcessInfo.processInfo.environment[variable] != nil }

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
