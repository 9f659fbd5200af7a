import Glibc
import Synchronization

/// The child processes that this process keeps for its calls, recorded so that another process can end them.
///
/// The child of a killed worker lives on for a while: it would finish a call while the job's retry makes the same call, and both would be
/// charged. So the code that starts a child records it before giving it a prompt (without one, the child makes no call and ends when its
/// worker's pipe closes), and removes it once it has been reaped. The worker keeps the list where a rescuer can read it, and the rescuer
/// ends the children with ``kill(_:within:)`` before their jobs run again.
package final class ChildProcessRegister: Sendable {
    /// One child: the leader of its own process group.
    package struct Child: Sendable, Hashable {
        /// Its process id, which is also the id of its group.
        package var pid: Int32
        /// When it started, in clock ticks since boot: tells it from a later process with the same id.
        package var startTime: UInt64

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

    package init() {}

    /// The live children, in the order they were started.
    package var children: [Child] { state.withLock { $0.children } }

    /// Reports the whole list to `sink`, now and after each change: in order, one call at a time, and before ``note(_:)`` returns.
    /// - Parameter sink: replaces an earlier one. It must not call the register.
    package func attach(_ sink: @escaping @Sendable ([Child]) -> Void) {
        state.withLock { state in
            state.sink = sink
            sink(state.children)
        }
    }

    /// Records a child of this process.
    /// - Returns: the value to pass to ``forget(_:)`` later; nil if the process no longer exists.
    package func note(_ pid: Int32) -> Child? {
        guard let startTime = Self.startTime(of: pid) else { return nil }
        let child = Child(pid: pid, startTime: startTime)
        state.withLock { state in
            state.children.append(child)
            state.sink?(state.children)
        }
        return child
    }

    package func forget(_ child: Child) {
        state.withLock { state in
            state.children.removeAll { $0 == child }
            state.sink?(state.children)
        }
    }

    /// Kills children of a dead worker, each with its whole group, by SIGKILL, and waits until they have ended. A child whose process id
    /// now belongs to another process is left alone, because it has already ended.
    /// - Parameter milliseconds: how long to wait. A process that is blocked on disk I/O may not react to signals for a while.
    /// - Returns: the children that are still running.
    package static func kill(_ children: [Child], within milliseconds: Int64) async -> [Child] {
        var left = children.filter(isAlive)
        for child in left { Glibc.kill(-child.pid, SIGKILL) }
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            left = left.filter(isAlive)
            if left.isEmpty || ContinuousClock.now >= end { return left }
            // A cancelled task cannot sleep. The signals have been sent; only the waiting is skipped.
            do { try await Task.sleep(for: .milliseconds(2)) } catch { return left }
        }
    }

    /// Whether it is still running. A zombie is not.
    private static func isAlive(_ child: Child) -> Bool {
        guard child.pid > 1, let status = ProcessStatus(of: child.pid) else { return false }
        return status.startTime == child.startTime && !status.hasEnded
    }

    /// When a process started, in clock ticks since boot; nil if there is no process with this id.
    package static func startTime(of pid: Int32) -> UInt64? { ProcessStatus(of: pid)?.startTime }
}

extension ChildProcessRegister {
    /// The children of a process that have ended and have not been reaped.
    package static func endedChildren(of parent: Int32) -> [Child] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var children: [Child] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard let pid = Int32(name), let status = ProcessStatus(of: pid) else { continue }
            if status.parent == parent, status.hasEnded { children.append(Child(pid: pid, startTime: status.startTime)) }
        }
        return children
    }
}

/// Tells orphans from children whose parent is about to reap them: they stay.
package struct OrphanWatch {
    /// How often a child must have been seen in a row.
    package static let looks = 10

    private var seen: [ChildProcessRegister.Child: Int] = [:]

    package init() {}

    /// Takes in the ended children.
    /// - Returns: those that nobody waits for.
    package mutating func look(at ended: [ChildProcessRegister.Child]) -> [ChildProcessRegister.Child] {
        seen = Dictionary(ended.map { ($0, (seen[$0] ?? 0) + 1) }, uniquingKeysWith: { first, _ in first })
        return ended.filter { seen[$0, default: 0] >= Self.looks }
    }
}

/// What `/proc/PID/stat` says about a process.
struct ProcessStatus {
    let parent: Int32
    /// When it started, in clock ticks since boot.
    let startTime: UInt64
    /// Whether it has ended and only waits to be reaped.
    let hasEnded: Bool

    /// Nil if there is no such process.
    init?(of pid: Int32) {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1_024)
        let count = read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        self.init(line: buffer[..<count])
    }

    /// Parses the line of the file, `pid (name) state …`, in which the start time is the 22nd field. The name may contain blanks and
    /// parentheses, so the fields are counted from the last `)`.
    init?(line: ArraySlice<UInt8>) {
        guard let end = line.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = line[line.index(after: end)...].split(whereSeparator: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") })
        // The state is the third field of the line and the first after the name; the parent follows.
        guard fields.count > 19, let state = fields[0].first, let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let time = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        self.parent = parent
        startTime = time
        hasEnded = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
    }
}
