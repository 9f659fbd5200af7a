import AgentQueueModel
import Glibc
import Subprocess
import Synchronization

/// A running program, which answers one job at a time.
///
/// All that happens to it (jobs, stops, lines, timers, its end) goes through one mailbox to one task, which asks its
/// ``ClaudeCodeSession`` what to do. The task is unstructured, for a process outlives the job it was started for; it ends with the
/// process, reaped, and ``end()`` waits for it.
final class ClaudeCodeProcess: Sendable {
    /// What happens to it.
    enum Event: Sendable {
        case job(ClaudeCodeJob, ClaudeCodeCall)
        case stop(UInt64, ClaudeCodeStop)
        case line(JSONValue)
        case unreadable
        case mute
        case timer(ClaudeCodeSession.Timer, turn: Int)
        case close
        case shutDown
        /// One of its two outputs is at its end.
        case outputEnded
    }

    /// What it was started for.
    let key: ClaudeCodeKey
    /// Whether a job would be taken up at once, as far as anybody can tell.
    var isIdle: Bool { idleFlag.load(ordering: .relaxed) }

    private let mailbox: AsyncStream<Event>.Continuation
    private let idleFlag = Atomic(false)
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Starts a program. Whether that succeeds, its first job is told.
    /// - Parameters:
    ///   - register: told of it before it is given a job, and when it has been reaped.
    ///   - pool: told when it can be given another job, and of its end.
    init(
        _ launch: ClaudeCodeLaunch, key: ClaudeCodeKey, limits: ClaudeCodeLimits, folder: ClaudeCodeFolder, register: ChildProcessRegister,
        pool: ClaudeCodePool, now: @escaping @Sendable () -> Int64
    ) {
        self.key = key
        let (events, mailbox) = AsyncStream<Event>.makeStream()
        self.mailbox = mailbox
        let session = ClaudeCodeSession(limits: limits, isWarm: launch.isWarm)
        let driver = ClaudeCodeDriver(
            launch, session: session, events: events, mailbox: mailbox, folder: folder, register: register, now: now
        ) {
            [weak self] notice in
            guard let self else { return notice == .expired }
            switch notice {
            case .available: return pool.putBack(self)
            case .expired: return pool.remove(self)
            case .idle(let isIdle):
                idleFlag.store(isIdle, ordering: .relaxed)
                return true
            }
        }
        task.withLock { task in
            task = Task { [self] in
                await driver.run()
                pool.forget(self)
            }
        }
    }

    /// Gives it a job, and waits for what becomes of it. Where the task is cancelled, the job is stopped.
    /// - Parameter onText: told the answer piece by piece.
    func answer(_ job: ClaudeCodeJob, onText: (@Sendable (String) -> Void)?) async -> ClaudeCodeAnswer {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let call = ClaudeCodeCall(onText: onText, continuation: continuation)
                // A stream that is over takes nothing: the process has ended.
                if case .terminated = mailbox.yield(.job(job, call)) { continuation.resume(returning: .notStarted) }
                // Cancelled before there was a job to stop.
                if Task.isCancelled { mailbox.yield(.stop(job.id, .cancelled)) }
            }
        } onCancel: {
            mailbox.yield(.stop(job.id, .cancelled))
        }
    }

    /// Lets it end, after the job it is at.
    func close() { mailbox.yield(.close) }

    /// Stops its job and lets it end.
    func shutDown() { mailbox.yield(.shutDown) }

    /// Waits until it has ended and been reaped.
    func end() async { await task.withLock { $0 }?.value }
}

/// A job, as a process takes it.
struct ClaudeCodeJob: Sendable {
    /// Tells it from every other job of the provider.
    let id: UInt64
    /// The line that asks.
    let line: [UInt8]
    /// How long it may take, in ms.
    let timeout: Int64
    /// Whether the answer has to follow a schema.
    let hasSchema: Bool
    /// Takes keys and the prompt out of messages.
    let redaction: Redaction
}

/// Who waits for a job.
struct ClaudeCodeCall: Sendable {
    /// Told the answer piece by piece.
    let onText: (@Sendable (String) -> Void)?
    /// Resumed once, with what became of it.
    let continuation: CheckedContinuation<ClaudeCodeAnswer, Never>
}

/// What a process makes of a job.
enum ClaudeCodeAnswer: Sendable, Equatable {
    /// It came to this.
    case outcome(Outcome)
    /// The process ended, or had to be ended, before it took the job up: another can be given it.
    case notStarted
}

/// How long processes are kept, and how long they are waited for.
struct ClaudeCodeLimits: Sendable {
    /// How many jobs one process answers before another takes its place.
    var maxJobs = 50
    /// How much memory it may hold after a job, in bytes: more, and another takes its place.
    var maxBytes = 600_000_000
    /// How long one without a job is kept, in ms.
    var idleTime: Int64 = 60_000
    /// How long a job's interruption may take, in ms, before its process is ended.
    var patience: Int64 = 1_000
    /// How long forgetting a conversation may take, in ms, before the process is ended.
    var clearTime: Int64 = 5_000
    /// How long a process may take to end by itself, and then after SIGTERM, in ms.
    var exitTime: Int64 = 5_000
}
