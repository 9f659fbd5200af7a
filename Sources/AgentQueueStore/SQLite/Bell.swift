import AgentQueueModel
import CAgentQueue
import Foundation
import Glibc
import Synchronization

/// Words in a small shared file, rung after a COMMIT to wake the processes that wait (futexes). A hint, never the
/// truth: who is woken looks into the database, and looks anyway every second.
package final class Bell: Sendable {
    /// What is rung for.
    package enum Word: Int, Sendable, CaseIterable {
        /// Jobs to run, cancellations: for workers.
        case work = 0
        /// Jobs that have ended: for those who wait for results.
        case done = 1
    }

    /// The longest a missed ring can go unnoticed, in ms.
    package static let safetyPoll: Int64 = 1_000

    // The mapping lives as long as this object, and nothing but the platform's atomics touches it.
    nonisolated(unsafe) private let words: UnsafeMutablePointer<UInt32>
    private static let length = 4_096

    /// Maps the file beside a database, making it if need be.
    init(path: String) throws(StoreError) {
        let descriptor = try PrivateFile.open(path, flags: O_RDWR | O_CREAT)
        defer { close(descriptor) }
        // With its page: a store into one that the full disk has no room for would end the process (SIGBUS).
        let code = posix_fallocate(descriptor, 0, off_t(Self.length))
        guard code == 0 else { throw PrivateFile.failure(path, code) }
        guard let memory = mmap(nil, Self.length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
            throw StoreError(.io, "\(path): cannot be mapped into memory")
        }
        // A line of the processor's cache each, so that one kind of waiter does not disturb the other.
        words = memory.bindMemory(to: UInt32.self, capacity: Self.length / 4)
    }

    deinit { munmap(words, Self.length) }

    private func word(_ word: Word) -> UnsafeMutablePointer<UInt32> { words + word.rawValue * 32 }

    /// The word's present value.
    package func value(_ word: Word) -> UInt32 { platform_word_load(self.word(word)) }

    /// Wakes all who wait.
    package func ring(_ word: Word) { platform_bell_ring(self.word(word)) }

    /// Blocks this thread until the word no longer holds `seen`, or for that long; may return early.
    func wait(_ word: Word, seen: UInt32, milliseconds: Int64) { platform_bell_wait(self.word(word), seen, milliseconds) }
}

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
