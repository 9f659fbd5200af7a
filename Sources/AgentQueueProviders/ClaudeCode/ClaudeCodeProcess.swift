import AgentQueueDialects
import AgentQueueModel
import Glibc
import Subprocess
import Synchronization

/// A running program that answers one job at a time.
///
/// All its events (jobs, stops, lines, timers, its end) go through one mailbox to one task, which asks its ``ClaudeCodeSession`` what to
/// do. The task is unstructured because a process outlives the job it was started for. It ends when the process has been reaped, and
/// ``end()`` waits for it.
final class ClaudeCodeProcess: Sendable {
    /// Its events.
    enum Event: Sendable {
        case job(ClaudeCodeJob, ClaudeCodeCall)
        case stop(UInt64, ClaudeCodeStop)
        case line(JSONValue)
        case unreadable
        case mute
        case timer(ClaudeCodeSession.Timer, turn: Int)
        case close
        case shutDown
        /// One of its two outputs has ended.
        case outputEnded
    }

    /// What it was started for.
    let key: ClaudeCodeKey
    /// Whether a job would start at once, as far as is known.
    var isIdle: Bool { idleFlag.load(ordering: .relaxed) }

    private let mailbox: AsyncStream<Event>.Continuation
    private let idleFlag = Atomic(false)
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Starts a program. Its first job is told whether that worked.
    /// - Parameters:
    ///   - register: told of the process before it gets a job, and once it has been reaped.
    ///   - pool: told when it can take another job, and when it ends.
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

    /// Gives it a job and waits for the answer. If the task is cancelled, the job is stopped.
    /// - Parameter onText: called with the answer's text, piece by piece.
    func answer(_ job: ClaudeCodeJob, onText: (@Sendable (String) -> Void)?) async -> ClaudeCodeAnswer {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let call = ClaudeCodeCall(onText: onText, continuation: continuation)
                // The stream accepts nothing once the process has ended.
                if case .terminated = mailbox.yield(.job(job, call)) { continuation.resume(returning: .notStarted) }
                // The task was cancelled before there was a job to stop.
                if Task.isCancelled { mailbox.yield(.stop(job.id, .cancelled)) }
            }
        } onCancel: {
            mailbox.yield(.stop(job.id, .cancelled))
        }
    }

    /// Lets it end after its current job.
    func close() { mailbox.yield(.close) }

    /// Stops its job and lets it end.
    func shutDown() { mailbox.yield(.shutDown) }

    /// Waits until it has ended and been reaped.
    func end() async { await task.withLock { $0 }?.value }
}

/// A job as a process receives it.
struct ClaudeCodeJob: Sendable {
    /// Distinguishes it from every other job of the provider.
    let id: UInt64
    /// The line with the prompt.
    let line: [UInt8]
    /// Its timeout, in ms.
    let timeout: Int64
    /// Whether the answer has to follow a schema.
    let hasSchema: Bool
    /// Removes keys and the prompt from messages.
    let redaction: Redaction
}

/// The caller that waits for a job.
struct ClaudeCodeCall: Sendable {
    /// Called with the answer's text, piece by piece.
    let onText: (@Sendable (String) -> Void)?
    /// Resumed once, with the answer.
    let continuation: CheckedContinuation<ClaudeCodeAnswer, Never>
}

/// A process's answer to a job.
enum ClaudeCodeAnswer: Sendable, Equatable {
    /// The job's outcome.
    case outcome(Outcome)
    /// The process ended, or had to be killed, before it started the job: another process can take it.
    case notStarted
}

/// How long processes are kept, and how long they are waited for.
struct ClaudeCodeLimits: Sendable {
    /// How many jobs a process answers before it is replaced.
    var maxJobs = 50
    /// A process that holds more memory than this after a job, in bytes, is replaced.
    var maxBytes = 600_000_000
    /// How long an idle process is kept, in ms.
    var idleTime: Int64 = 60_000
    /// How long interrupting a job may take, in ms, before the process is killed.
    var patience: Int64 = 1_000
    /// How long clearing a conversation may take, in ms, before the process is killed.
    var clearTime: Int64 = 5_000
    /// How long a process may take to end by itself, and again after SIGTERM, in ms.
    var exitTime: Int64 = 5_000
}
