import Glibc
import Synchronization

/// The child processes that this process keeps for its calls, written down so that somebody else can end them.
///
/// A killed worker's child lives on for a while: it would finish a call beside the retry of its job, and charge for both. So
/// whoever starts one notes it before it is given a prompt (without one it makes no call, and ends with its worker's pipe), and
/// forgets it once it has been reaped. The worker keeps the list where a rescuer can read it, and the rescuer ends them with
/// ``kill(_:within:)`` before their jobs run again.
package final class ChildProcessRegister: Sendable {
    /// One child: the leader of a process group of its own.
    package struct Child: Sendable, Hashable {
        /// Its number, which is also its group's.
        package var pid: Int32
        /// When it started, in clock ticks since the machine did: tells it from a later process of the same number.
        package var startTime: UInt64

        /// Names a child.
        package init(pid: Int32, startTime: UInt64) {
            self.pid = pid
            self.startTime = startTime
        }
    }

    private struct State {
        var children: [Child] = []
        var sink: (@Sendable ([Child]) -> Void)?
    }

    private let state = Mutex(State())

    /// Makes an empty register.
    package init() {}

    /// Those that live now, in the order of their start.
    package var children: [Child] { state.withLock { $0.children } }

    /// Tells somebody of the whole list, now and at each change: in order, one call at a time, before ``note(_:)`` returns.
    /// - Parameter sink: calls nothing of the register. It replaces an earlier one.
    package func attach(_ sink: @escaping @Sendable ([Child]) -> Void) {
        state.withLock { state in
            state.sink = sink
            sink(state.children)
        }
    }

    /// Notes a child of this process.
    /// - Returns: what to ``forget(_:)`` later; nil where no such process is left.
    package func note(_ pid: Int32) -> Child? {
        guard let startTime = Self.startTime(of: pid) else { return nil }
        let child = Child(pid: pid, startTime: startTime)
        state.withLock { state in
            state.children.append(child)
            state.sink?(state.children)
        }
        return child
    }

    /// Strikes a child that has been reaped.
    package func forget(_ child: Child) {
        state.withLock { state in
            state.children.removeAll { $0 == child }
            state.sink?(state.children)
        }
    }

    /// Ends children of a worker that is gone, each with its whole group, by SIGKILL, and waits until they are. One whose number
    /// meanwhile belongs to another process is left alone: it is gone already.
    /// - Parameter milliseconds: how long to wait; a process can be out of reach of signals for a while, in a disk's hands.
    /// - Returns: those that are still there.
    package static func kill(_ children: [Child], within milliseconds: Int64) async -> [Child] {
        var left = children.filter(isAlive)
        for child in left { Glibc.kill(-child.pid, SIGKILL) }
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            left = left.filter(isAlive)
            if left.isEmpty || ContinuousClock.now >= end { return left }
            // A cancelled task may not sleep; what it asked for is done, but for the waiting.
            do { try await Task.sleep(for: .milliseconds(2)) } catch { return left }
        }
    }

    /// Whether it still runs. One that has ended and waits for its parent to notice does not.
    private static func isAlive(_ child: Child) -> Bool {
        guard child.pid > 1, let status = ProcessStatus(of: child.pid) else { return false }
        return status.startTime == child.startTime && !status.hasEnded
    }

    /// When a process started, in clock ticks since the machine did; nil where there is none of that number.
    package static func startTime(of pid: Int32) -> UInt64? { ProcessStatus(of: pid)?.startTime }
}

/// What `/proc/PID/stat` says of a process.
struct ProcessStatus {
    /// When it started, in clock ticks since the machine did.
    let startTime: UInt64
    /// Whether it has ended, and only waits for its parent to take notice.
    let hasEnded: Bool

    /// Reads it; nil where there is no such process.
    init?(of pid: Int32) {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        self.init(line: buffer[..<count])
    }

    /// Reads the file's line: `pid (name) state …`, the start time as its 22nd field. The name may hold anything, blanks and
    /// parentheses too, so that what counts begins behind the last `)`.
    init?(line: ArraySlice<UInt8>) {
        guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = line[line.index(after: end)...].split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") })
        // The state is the third field of the line, and the first behind the name.
        guard fields.count > 19, let state = fields[0].first, let time = UInt64(String(decoding: fields[19], as: UTF8.self)) else {
            return nil
        }
        startTime = time
        hasEnded = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
    }
}
