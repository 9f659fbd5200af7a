import AgentQueueModel
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// Runs a program as its ``ClaudeCodeSession`` decides.
struct ClaudeCodeDriver: Sendable {
    typealias Event = ClaudeCodeProcess.Event

    /// What the process and its pool must be told.
    enum Notice: Equatable {
        /// It can take another job. The answer is whether it was accepted; if not, it closes.
        case available
        /// No job came in time. The answer is whether none can come any more, so that it may close.
        case expired
        /// Whether a job would start at once.
        case idle(Bool)
    }

    private let launch: ClaudeCodeLaunch
    private var session: ClaudeCodeSession
    private let events: AsyncStream<Event>
    private let mailbox: AsyncStream<Event>.Continuation
    private let folder: ClaudeCodeFolder
    private let register: ChildProcessRegister
    private let now: @Sendable () -> Int64
    private let notify: @Sendable (Notice) -> Bool

    private var calls: [UInt64: ClaudeCodeCall] = [:]
    private var timers: [ClaudeCodeSession.Timer: (turn: Int, task: Task<Void, Never>)] = [:]
    private var timerTurns = 0
    private var systemFile: String?

    /// How much of its standard error is kept, in bytes: the end.
    private static let maxErrorBytes = 4_096
    /// How long after one of its outputs the other may end.
    private static let lastWords = Duration.seconds(2)

    init(
        _ launch: ClaudeCodeLaunch, session: ClaudeCodeSession, events: AsyncStream<Event>, mailbox: AsyncStream<Event>.Continuation,
        folder: ClaudeCodeFolder, register: ChildProcessRegister, now: @escaping @Sendable () -> Int64,
        notify: @escaping @Sendable (Notice) -> Bool
    ) {
        self.launch = launch
        self.session = session
        self.events = events
        self.mailbox = mailbox
        self.folder = folder
        self.register = register
        self.now = now
        self.notify = notify
        systemFile = launch.systemFile
    }

    /// Runs the program to its end.
    func run() async {
        var driver = self
        let ending = await driver.runProgram()
        // The job it was started for may have arrived only now. Any other came too late.
        driver.mailbox.finish()
        for await event in driver.events {
            guard case .job(let job, let call) = event else { continue }
            driver.calls[job.id] = call
            for action in driver.session.handle(.job(job), now: now(), residentBytes: { 0 }) { driver.perform(action) }
        }
        driver.end(ending)
    }

    // MARK: The program

    private mutating func runProgram() async -> ClaudeCodeEnding {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = []
        let configuration = Configuration(
            executable: .path(FilePath(launch.command)), arguments: Arguments(launch.arguments),
            environment: .custom(Dictionary(uniqueKeysWithValues: launch.environment.map { (Environment.Key(stringLiteral: $0), $1) })),
            workingDirectory: FilePath(launch.workingDirectory), platformOptions: options)
        let errors = ErrorTail(maxBytes: Self.maxErrorBytes)
        var child: ChildProcessRegister.Child?
        defer { if let child { register.forget(child) } }
        do {
            let result = try await Subprocess.run(configuration, input: .inputWriter, output: .sequence, error: .sequence) { execution in
                // Before anything is written to it.
                child = register.note(execution.processIdentifier.value)
                await attend(execution, errors)
            }
            switch result.terminationStatus {
            case .exited(let code): return .exit(code, standardError: errors.text)
            case .signaled(let signal): return .signal(signal)
            }
        } catch {
            return .notStarted(Self.clause(error))
        }
    }

    private static func clause(_ error: any Error) -> String {
        switch (error as? SubprocessError)?.underlyingError {
        case let code?: "\(code)"
        case nil: "the system refused"
        }
    }

    /// Works with the program until it has ended. It is not reaped before this returns, so that its process id stays its own.
    private mutating func attend(
        _ execution: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>, _ errors: ErrorTail
    ) async {
        let pid = execution.processIdentifier.value
        let (outbox, written) = AsyncStream<[UInt8]>.makeStream()
        let mailbox = mailbox
        await withTaskGroup { group in
            group.addTask { await Self.read(execution.standardOutput, mailbox) }
            group.addTask {
                do { for try await buffer in execution.standardError { errors.append(buffer.withUnsafeBytes { Array($0) }) } } catch {}
                mailbox.yield(.outputEnded)
            }
            group.addTask {
                // A failed write is reported by the end of the process. What else is queued then goes to no one.
                for await bytes in outbox {
                    do { _ = try await execution.standardInputWriter.write(bytes) } catch { break }
                }
                try? await execution.standardInputWriter.finish()
            }
            var open = 2
            for await event in events {
                if case .outputEnded = event {
                    open -= 1
                    if open == 0 { break }
                    // If the process has ended, the other output ends at once. If not, it cannot answer any more.
                    group.addTask {
                        try? await Task.sleep(for: Self.lastWords)
                        mailbox.yield(.mute)
                    }
                } else {
                    take(event, pid, written)
                }
            }
            written.finish()
            group.cancelAll()
            await Self.waitForExit(pid)
            // Whatever it leaves behind in its process group.
            kill(-pid, SIGKILL)
        }
    }

    private static func read(_ output: SubprocessOutputSequence, _ mailbox: AsyncStream<Event>.Continuation) async {
        var parser = StreamJSONParser()
        do {
            for try await buffer in output {
                for line in try parser.feed(buffer.withUnsafeBytes { Array($0) }) { mailbox.yield(.line(line)) }
            }
            if let line = parser.finish() { mailbox.yield(.line(line)) }
        } catch is StreamJSONParser.LineTooLong {
            mailbox.yield(.unreadable)
        } catch {}
        mailbox.yield(.outputEnded)
    }

    /// Waits until the process has ended. It should at once, as its outputs are closed; if it does not, it is killed.
    private static func waitForExit(_ pid: pid_t) async {
        let end = ContinuousClock.now + .seconds(5)
        var information = siginfo_t()
        while true {
            information.si_signo = 0
            let isOver = waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT | WNOHANG) != 0 || information.si_signo != 0
            if isOver || ContinuousClock.now >= end { return }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    // MARK: Events

    private mutating func take(_ event: Event, _ pid: pid_t, _ outbox: AsyncStream<[UInt8]>.Continuation) {
        let happening: ClaudeCodeSession.Event
        switch event {
        case .job(let job, let call):
            calls[job.id] = call
            happening = .job(job)
        case .stop(let id, let reason): happening = .stop(id, reason)
        case .line(let line): happening = .line(line)
        case .unreadable: happening = .unreadable
        case .mute: happening = .mute
        case .close: happening = .close
        case .shutDown: happening = .shutDown
        case .outputEnded: return
        case .timer(let timer, let turn):
            // A timer that was replaced while its event was on the way does not count.
            guard timers[timer]?.turn == turn else { return }
            timers[timer] = nil
            happening = .timer(timer)
        }
        handle(happening, pid, outbox)
    }

    private mutating func handle(_ event: ClaudeCodeSession.Event, _ pid: pid_t, _ outbox: AsyncStream<[UInt8]>.Continuation) {
        let actions = session.handle(event, now: now()) { Self.residentBytes(of: pid) }
        _ = notify(.idle(session.isIdle))
        if let file = systemFile, session.hasStarted {
            folder.remove(file)
            systemFile = nil
        }
        for action in actions {
            switch action {
            case .write(let bytes): outbox.yield(bytes)
            case .closeInput: outbox.finish()
            case .signal(let signal): kill(-pid, signal)
            case .available: if !notify(.available) { handle(.close, pid, outbox) }
            case .expired: if notify(.expired) { handle(.close, pid, outbox) }
            case .set, .unset, .text, .answer: perform(action)
            }
        }
    }

    private mutating func perform(_ action: ClaudeCodeSession.Action) {
        switch action {
        case .set(let timer, let milliseconds): set(timer, after: milliseconds)
        case .unset(let timer): timers.removeValue(forKey: timer)?.task.cancel()
        case .text(let id, let text): calls[id]?.onText?(text)
        case .answer(let id, let answer): calls.removeValue(forKey: id)?.continuation.resume(returning: answer)
        case .write, .closeInput, .signal, .available, .expired: break
        }
    }

    private mutating func set(_ timer: ClaudeCodeSession.Timer, after milliseconds: Int64) {
        timers[timer]?.task.cancel()
        timerTurns += 1
        let turn = timerTurns
        let mailbox = mailbox
        let task = Task {
            do { try await CallTimer.sleep(for: .milliseconds(milliseconds)) } catch { return }
            mailbox.yield(.timer(timer, turn: turn))
        }
        timers[timer] = (turn, task)
    }

    private mutating func end(_ ending: ClaudeCodeEnding) {
        for action in session.handle(.ended(ending), now: now(), residentBytes: { 0 }) { perform(action) }
        _ = notify(.idle(false))
        for timer in timers.values { timer.task.cancel() }
        timers = [:]
        if let systemFile { folder.remove(systemFile) }
    }

    /// The memory that a process holds, in bytes; 0 if not known.
    private static func residentBytes(of pid: pid_t) -> Int {
        let file = open("/proc/\(pid)/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = Glibc.read(file, &buffer, buffer.count)
        guard count > 0 else { return 0 }
        let fields = String(decoding: buffer[..<count], as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}

/// The end of what a program writes to standard error, which says why it failed.
final class ErrorTail: Sendable {
    private let kept = Mutex<[UInt8]>([])
    private let maxBytes: Int

    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    /// What is kept.
    var text: String { String(decoding: kept.withLock { $0 }, as: UTF8.self) }

    /// Takes the next bytes.
    func append(_ bytes: [UInt8]) {
        kept.withLock { kept in
            kept.append(contentsOf: bytes.suffix(maxBytes))
            if kept.count > maxBytes { kept.removeFirst(kept.count - maxBytes) }
        }
    }
}
