import Foundation
import Glibc

/// Starts a process and waits for it with system calls. (Foundation's `Process` crashes when several are started at once.)
enum SpawnedProcess {
    struct NotStarted: Error, CustomStringConvertible {
        var program: String
        var code: Int32

        var description: String { "cannot start \(program): \(String(cString: strerror(code)))" }
    }

    /// Starts a program in a process group of its own (a terminal's Ctrl-C is for its parent alone), with the parent's outputs, default
    /// signal handling, and no other descriptors.
    /// - Parameters:
    ///   - input: the descriptor that becomes its standard input.
    ///   - error: the descriptor that becomes its standard error; nil for the parent's.
    /// - Throws: `NotStarted`.
    static func start(
        _ program: String, _ arguments: [String], environment: [String: String], input: Int32, error: Int32? = nil
    ) throws(NotStarted) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        if let error { posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO) }
        // Closing a descriptor that is no longer open is not an error.
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for descriptor in descriptors.compactMap({ Int32($0) }) where descriptor > STDERR_FILENO {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        // What this process ignores, as after `nohup`, its children ignore; what it traps, a new program has by default.
        for signal in [SIGKILL, SIGSTOP, SIGHUP, SIGQUIT] { sigdelset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        let argv = ([program] + arguments).map { strdup($0) }
        let envp = environment.map { strdup("\($0)=\($1)") }
        defer { for string in argv + envp { free(string) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, argv + [nil], envp + [nil])
        guard code == 0 else { throw NotStarted(program: program, code: code) }
        return pid
    }

    /// Waits for a child to end without reaping it.
    static func waitForEnd(of pid: pid_t) {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    /// Reaps a child that has ended.
    /// - Returns: The exit code, or 128 plus the signal number.
    static func reap(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }
}

/// A pipe that is never written to. A process that holds its read end notices when the process with the write end exits.
final class Lifeline: Sendable {
    struct NotMade: Error, CustomStringConvertible {
        var code: Int32

        var description: String { "cannot create a pipe: \(String(cString: strerror(code)))" }
    }

    /// The standard input of children.
    let readingEnd: Int32
    private let writingEnd: Int32

    /// Both ends are close-on-exec: a child with the write end would keep the pipe open.
    /// - Throws: `NotMade`.
    init() throws(NotMade) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw NotMade(code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (readingEnd, writingEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readingEnd)
        close(writingEnd)
    }
}

/// A pipe from a child, read line by line until the child ends.
final class LinePipe: Sendable {
    private let readingEnd: Int32
    /// The child's standard error.
    let writingEnd: Int32

    /// Both ends are close-on-exec: another child with the write end would keep the pipe open.
    /// - Throws: `Lifeline.NotMade`.
    init() throws(Lifeline.NotMade) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Lifeline.NotMade(code: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (readingEnd, writingEnd) = (ends[0], ends[1])
    }

    /// Reads in a thread of its own. Call it once, after the child has started.
    func read(_ take: @escaping @Sendable (String) -> Void) {
        close(writingEnd)
        Thread.detachNewThread { [self] in
            var line: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 16 << 10)
            while true {
                let count = Glibc.read(readingEnd, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                for byte in chunk[..<count] {
                    guard byte == UInt8(ascii: "\n") else {
                        line.append(byte)
                        continue
                    }
                    take(String(decoding: line, as: UTF8.self))
                    line.removeAll(keepingCapacity: true)
                }
            }
            if !line.isEmpty { take(String(decoding: line, as: UTF8.self)) }
            close(readingEnd)
        }
    }
}
