import Foundation
import Synchronization

/// Hears a bell on a thread of its own and passes it on to tasks.
public final class BellListener: Sendable {
    private let bell: Bell
    private let word: Bell.Word
    private let state = Mutex(State())

    private struct State {
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
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

    /// Yields at once, after every ring, and at least once in each `Bell.safetyPoll`. Rings that come while the consumer
    /// is busy are one.
    public func rings() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state -> Int? in
            guard !state.isStopped else { return nil }
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in self?.state.withLock { $0.listeners[id] = nil } }
        continuation.yield()
        return stream
    }

    /// Ends every stream, and the thread.
    public func stop() {
        let listeners = state.withLock { state in
            state.isStopped = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
        // Ringing is the one wake that a thread about to wait cannot miss. To others it is a hint too many.
        bell.ring(word)
    }

    private func listen() {
        var seen = bell.value(word)
        while true {
            bell.wait(word, seen: seen, milliseconds: Bell.safetyPoll)
            seen = bell.value(word)
            let listeners = state.withLock { state -> [AsyncStream<Void>.Continuation]? in
                state.isStopped ? nil : Array(state.listeners.values)
            }
            guard let listeners else { return }
            for listener in listeners { listener.yield() }
        }
    }
}
