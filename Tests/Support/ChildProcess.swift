import Foundation
import Glibc
import Synchronization

/// A program that a test has started: a real process, which gets real signals, and whose output and end are events.
package final class ChildProcess: Sendable {
    /// How a process ended.
    package enum Ending: Sendable, Equatable {
        case exit(Int32)
        case signal(Int32)
    }

    /// It could not be started.
    package struct NotStarted: Error {
        var program: String
        var code: Int32
    }

    private struct State {
        var output: [UInt8] = []
        var isOutputOver = false
        var ending: Ending?
        var input: Int32
    }

    /// Its number.
    package let pid: pid_t
    private let state: Mutex<State>
    private let printed = Counter()
    private let ended = Gate()

    /// Starts a program with no descriptors but its standard ones, default signal handling, and this environment alone.
    /// - Parameter holdsInput: whether its standard input stays open until ``endInput()``; else it is empty.
    package init(_ program: String, _ arguments: [String], environment: [String: String] = [:], holdsInput: Bool = false) throws {
        let output = try Self.pipe()
        // Who writes to one that has died is told so, and not killed.
        if holdsInput { signal(SIGPIPE, SIG_IGN) }
        let input = holdsInput ? try Self.pipe() : (reading: open("/dev/null", O_RDONLY | O_CLOEXEC), writing: -1)
        defer {
            close(output.writing)
            close(input.reading)
        }
        pid = try Self.spawn(program, arguments, environment, input: input.reading, output: output.writing)
        // The servers that dozens of programs talk to are in this process, which must not be one of many that want the processor. The
        // program's threads inherit this from its first.
        _ = setpriority(Int32(PRIO_PROCESS.rawValue), id_t(pid), 15)
        state = Mutex(State(input: input.writing))
        Thread.detachNewThread { [self] in read(output.reading) }
        Thread.detachNewThread { [self] in wait() }
    }

    /// Starts a program of this package.
    package convenience init(
        _ program: Program, _ arguments: [String], environment: [String: String] = [:], holdsInput: Bool = false
    ) throws {
        try self.init(program.path, arguments, environment: environment, holdsInput: holdsInput)
    }

    /// Both its outputs so far.
    package var output: String { state.withLock { String(decoding: $0.output, as: UTF8.self) } }
    /// How it ended; nil while it lives.
    package var ending: Ending? { state.withLock { $0.ending } }

    /// Sends a signal; nothing happens where it has ended.
    package func send(_ signal: Int32) {
        state.withLock { if $0.ending == nil { kill(pid, signal) } }
    }

    /// Writes a line to its standard input, which it must hold open; nothing happens where it has ended.
    package func write(line: String) {
        let bytes = Array((line + "\n").utf8)
        state.withLock { if $0.input >= 0, $0.ending == nil { _ = Glibc.write($0.input, bytes, bytes.count) } }
    }

    /// Closes its standard input.
    package func endInput() {
        state.withLock { state in
            if state.input >= 0 { close(state.input) }
            state.input = -1
        }
    }

    /// Waits for its end.
    @discardableResult
    package func end(within limit: Duration = .seconds(30)) async throws -> Ending {
        try await AgentQueueTestSupport.within(limit, "\(pid) ends") { [ended] in try await ended.wait() }
        return ending ?? .exit(-1)
    }

    /// Waits for its end, and for the last of its output.
    package func endOfOutput(within limit: Duration = .seconds(30)) async throws -> (ending: Ending, output: String) {
        let ending = try await end(within: limit)
        try await waitForOutput(limit, "\(pid) closes its output") { _, isOver in isOver }
        return (ending, output)
    }

    /// Waits until it has printed a text.
    package func waitForOutput(_ text: String, within limit: Duration = .seconds(30)) async throws {
        try await waitForOutput(limit, "\(pid) prints '\(text)'") { output, isOver in
            if String(decoding: output, as: UTF8.self).contains(text) { return true }
            if isOver { throw TookTooLong("\(self.pid) ended without printing '\(text)': \(self.output)") }
            return false
        }
    }

    private func waitForOutput(
        _ limit: Duration, _ what: String, _ condition: @escaping @Sendable ([UInt8], _ isOver: Bool) throws -> Bool
    ) async throws {
        try await AgentQueueTestSupport.within(limit, what) { [self] in
            while true {
                let seen = printed.count
                let (output, isOver) = state.withLock { ($0.output, $0.isOutputOver) }
                if try condition(output, isOver) { return }
                try await printed.wait(atLeast: seen + 1)
            }
        }
    }

    // MARK: Its threads

    private func read(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            state.withLock { state in
                if count > 0 { state.output.append(contentsOf: buffer[..<count]) } else { state.isOutputOver = true }
            }
            printed.add()
            if count <= 0 { break }
        }
        close(descriptor)
    }

    private func wait() {
        var information = siginfo_t()
        // It keeps its number until it is reaped, under the lock that ``send(_:)`` takes: no stranger gets its signals.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        state.withLock { state in
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            state.ending = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
        }
        endInput()
        ended.open()
    }

    // MARK: Starting

    private static func pipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw NotStarted(program: "a pipe", code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ program: String, _ arguments: [String], _ environment: [String: String], input: Int32, output: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        // Whatever else this process has open, with some room for what other threads open just now. (One that is not open is
        // no error.)
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        for descriptor in 3..<(descriptors.max() ?? 0) + 64 { posix_spawn_file_actions_addclose(&actions, descriptor) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD, SIGALRM] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let argv = ([program] + arguments).map { strdup($0) }
        let envp = environment.map { strdup("\($0)=\($1)") }
        defer { for string in argv + envp { free(string) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, argv + [nil], envp + [nil])
        guard code == 0 else { throw NotStarted(program: program, code: code) }
        return pid
    }
}
