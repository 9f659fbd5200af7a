import Synchronization

/// The processes of a provider: those at a job, and those that wait for the next one.
final class ClaudeCodePool: Sendable {
    private struct State {
        /// All that have not been reaped.
        var living: [ObjectIdentifier: ClaudeCodeProcess] = [:]
        /// Those that wait for a job, the longest waiting first.
        var idle: [ClaudeCodeProcess] = []
        var isShutDown = false
    }

    private let maxIdle: Int
    private let state = Mutex(State())

    /// Makes an empty one.
    /// - Parameter maxIdle: how many may wait for a job, at most.
    init(maxIdle: Int) {
        self.maxIdle = maxIdle
    }

    /// Takes a process for a job; nil where none waits for such a one. The one that waited shortest is taken, so that those too many
    /// expire; but none that still clears where another does not.
    func take(_ key: ClaudeCodeKey) -> ClaudeCodeProcess? {
        state.withLock { state in
            guard !state.isShutDown else { return nil }
            let fitting = state.idle.indices.reversed().filter { state.idle[$0].key == key }
            guard let index = fitting.first(where: { state.idle[$0].isIdle }) ?? fitting.first else { return nil }
            return state.idle.remove(at: index)
        }
    }

    /// Starts a process and counts it in; nil after the shutdown.
    func add(_ start: () -> ClaudeCodeProcess) -> ClaudeCodeProcess? {
        state.withLock { state in
            guard !state.isShutDown else { return nil }
            let process = start()
            state.living[ObjectIdentifier(process)] = process
            return process
        }
    }

    /// Takes a process that can be given another job; false where it is to close.
    func putBack(_ process: ClaudeCodeProcess) -> Bool {
        let (isTaken, evicted) = state.withLock { state -> (Bool, ClaudeCodeProcess?) in
            guard !state.isShutDown, maxIdle > 0 else { return (false, nil) }
            state.idle.append(process)
            return (true, state.idle.count > maxIdle ? state.idle.removeFirst() : nil)
        }
        evicted?.close()
        return isTaken
    }

    /// Takes a process off those that wait for a job.
    /// - Returns: whether it was one, so that nobody has it or will.
    func remove(_ process: ClaudeCodeProcess) -> Bool {
        state.withLock { state in
            guard let index = state.idle.firstIndex(where: { $0 === process }) else { return false }
            state.idle.remove(at: index)
            return true
        }
    }

    /// Strikes a process that has been reaped.
    func forget(_ process: ClaudeCodeProcess) {
        state.withLock { state in
            state.idle.removeAll { $0 === process }
            state.living[ObjectIdentifier(process)] = nil
        }
    }

    /// How many processes there are, and how many of them wait for a job.
    var counts: (living: Int, idle: Int) { state.withLock { ($0.living.count, $0.idle.count) } }

    /// Ends all of them, those at a job too, and waits until they are reaped.
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
