import Foundation
import Synchronization

/// Hears a bell on a thread of its own and passes it on.
final class BellListener: Sendable {
    /// One who listens: told of every ring, and of the end.
    struct Ear: Sendable {
        var hear: @Sendable () -> Void
        var end: @Sendable () -> Void
    }

    private let bell: Bell
    private let word: Bell.Word
    private let state = Mutex(State())

    private struct State {
        var ears: [Int: Ear] = [:]
        var next = 0
        var isStopped = false
    }

    /// Starts the thread.
    init(_ bell: Bell, _ word: Bell.Word) {
        self.bell = bell
        self.word = word
        let thread = Thread { [self] in listen() }
        thread.name = "aq-bell-\(word)"
        thread.stackSize = 256 << 10
        thread.start()
    }

    /// Begins to pass rings on, and a beat at least once in each `Bell.safetyPoll`. Returns a number for ``remove(_:)``.
    @discardableResult
    func add(_ ear: Ear) -> Int {
        let id = state.withLock { state -> Int? in
            guard !state.isStopped else { return nil }
            state.next += 1
            state.ears[state.next] = ear
            return state.next
        }
        if id == nil { ear.end() }
        return id ?? 0
    }

    /// Passes no more on.
    func remove(_ id: Int) { state.withLock { $0.ears[id] = nil } }

    /// Ends it for all, and the thread.
    func stop() {
        let ears = state.withLock { state in
            state.isStopped = true
            defer { state.ears = [:] }
            return Array(state.ears.values)
        }
        for ear in ears { ear.end() }
        // Ringing is the one wake that a thread about to wait cannot miss. To others it is a hint too many.
        bell.ring(word)
    }

    private func listen() {
        var seen = bell.value(word)
        while true {
            bell.wait(word, seen: seen, milliseconds: Bell.safetyPoll)
            seen = bell.value(word)
            let ears = state.withLock { state -> [Ear]? in state.isStopped ? nil : Array(state.ears.values) }
            guard let ears else { return }
            for ear in ears { ear.hear() }
        }
    }
}
