import Synchronization

/// A provider's processes: those with a job, and those waiting for one.
final class ClaudeCodePool: Sendable {
    private struct State {
        /// All that have not been reaped yet.
        var living: [ObjectIdentifier: ClaudeCodeProcess] = [:]
        /// Those waiting for a job, in the order in which they began to wait.
        var idle: [ClaudeCodeProcess] = []
        var isShutDown = false
    }

    private let maxIdle: Int
    private let state = Mutex(State())

    /// Makes an empty one.
    /// - Parameter maxIdle: how many may wait for a job.
    init(maxIdle: Int) {
        self.maxIdle = maxIdle
    }

    /// Takes a process for a job; nil if none fits. The one that has waited least is taken, so that surplus ones expire, but not one that
    /// is still clearing if another is not.
    func take(_ key: ClaudeCodeKey) -> ClaudeCodeProcess? {
        state.withLock { state in
            guard !state.isShutDown else { return nil }
            let fitting = state.idle.indices.reversed().filter { state.idle[$0].key == key }
            guard let index = fitting.first(where: { state.idle[$0].isIdle }) ?? fitting.first else { return nil }
            return state.idle.remove(at: index)
        }
    }

    /// Starts a process and adds it; nil after shutdown.
    func add(_ start: () -> ClaudeCodeProcess) -> ClaudeCodeProcess? {
        state.withLock { state in
            guard !state.isShutDown else { return nil }
            let process = start()
            state.living[ObjectIdentifier(process)] = process
            return process
        }
    }

    /// Takes back a process that can do another job; false if it must close.
    func putBack(_ process: ClaudeCodeProcess) -> Bool {
        let (isTaken, evicted) = state.withLock { state -> (Bool, ClaudeCodeProcess?) in
            guard !state.isShutDown, maxIdle > 0 else { return (false, nil) }
            state.idle.append(process)
            return (true, state.idle.count > maxIdle ? state.idle.removeFirst() : nil)
        }
        evicted?.close()
        return isTaken
    }

    /// Removes a process from those waiting for a job.
    /// - Returns: whether it was waiting, so that it has no job and will get none.
    func remove(_ process: ClaudeCodeProcess) -> Bool {
        state.withLock { state in
            guard let index = state.idle.firstIndex(where: { $0 === process }) else { return false }
            state.idle.remove(at: index)
            return true
        }
    }

    /// Removes a process that has been reaped.
    func forget(_ process: ClaudeCodeProcess) {
        state.withLock { state in
            state.idle.removeAll { $0 === process }
            state.living[ObjectIdentifier(process)] = nil
        }
    }

    /// How many processes there are, and how many of them are idle.
    var counts: (living: Int, idle: Int) { state.withLock { ($0.living.count, $0.idle.count) } }

    /// Ends all of them, those with a job too, and waits until they are reaped.
    func shutdown() async {
        let living = state.withLock { state in
            state.isShutDown = true
            state.idle = []
            return Array(state.living.values)
        }
        for process in living { process.shutDown() }
        for process in living { await process.end() }
    }
}
