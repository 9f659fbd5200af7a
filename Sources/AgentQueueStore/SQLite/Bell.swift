import AgentQueueModel
import CAgentQueue
import Foundation
import Glibc
import Synchronization

/// Words in a small shared file, rung after a COMMIT to wake waiting processes (futexes). A ring is only a hint: a woken process reads the
/// database, and polls it every second anyway.
package final class Bell: Sendable {
    /// What a ring announces.
    package enum Word: Int, Sendable, CaseIterable {
        /// Jobs to run and cancellations, for workers.
        case work = 0
        /// Finished jobs, for callers waiting for results.
        case done = 1
    }

    /// The longest that a missed ring can go unnoticed, in ms.
    package static let safetyPoll: Int64 = 1_000

    // The mapping lives as long as this object, and is only accessed with the platform's atomics.
    nonisolated(unsafe) private let words: UnsafeMutablePointer<UInt32>
    private static let length = 4_096

    /// Maps the file next to a database, creating it if necessary.
    init(path: String) throws(StoreError) {
        let descriptor = try PrivateFile.open(path, flags: O_RDWR | O_CREAT)
        defer { close(descriptor) }
        // Allocate the page now: a store to a page that a full disk cannot back would kill the process (SIGBUS).
        let code = posix_fallocate(descriptor, 0, off_t(Self.length))
        guard code == 0 else { throw PrivateFile.failure(path, code) }
        guard let memory = mmap(nil, Self.length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
            throw StoreError(.io, "\(path): cannot be mapped into memory")
        }
        // Each word has a cache line of its own, so that one kind of waiter does not disturb the other.
        words = memory.bindMemory(to: UInt32.self, capacity: Self.length / 4)
    }

    /// A bell that only this process hears, for a database beside which nothing may be written.
    init() throws(StoreError) {
        guard let memory = mmap(nil, Self.length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), memory != MAP_FAILED else {
            throw StoreError(.io, "no memory is left for the bell")
        }
        words = memory.bindMemory(to: UInt32.self, capacity: Self.length / 4)
    }

    deinit { munmap(words, Self.length) }

    private func word(_ word: Word) -> UnsafeMutablePointer<UInt32> { words + word.rawValue * 32 }

    package func value(_ word: Word) -> UInt32 { platform_word_load(self.word(word)) }

    /// Wakes every waiter.
    package func ring(_ word: Word) { platform_bell_ring(self.word(word)) }

    /// Blocks this thread until the word's value differs from `seen` or the time has passed; may return early.
    func wait(_ word: Word, seen: UInt32, milliseconds: Int64) { platform_bell_wait(self.word(word), seen, milliseconds) }
}

/// Waits for a bell on its own thread and forwards the rings.
final class BellListener: Sendable {
    /// A listener: `hear` is called for every ring, `end` once when the listener stops.
    struct Ear: Sendable {
        var hear: @Sendable () -> Void
        var end: @Sendable () -> Void
    }

    private let bell: Bell
    private let word: Bell.Word
    private let poll: @Sendable () -> Void
    private let state = Mutex(State())

    private struct State {
        var ears: [Int: Ear] = [:]
        var next = 0
        var isStopped = false
    }

    /// - Parameter poll: called before the ears, after every ring and at least once per `Bell.safetyPoll`.
    init(_ bell: Bell, _ word: Bell.Word, poll: @escaping @Sendable () -> Void) {
        self.bell = bell
        self.word = word
        self.poll = poll
        let thread = Thread { [self] in listen() }
        thread.name = "aq-bell-\(word)"
        thread.stackSize = 256 << 10
        thread.start()
    }

    /// Starts forwarding every ring, and a call at least once per `Bell.safetyPoll`. Returns an id for ``remove(_:)``.
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

    func remove(_ id: Int) { state.withLock { $0.ears[id] = nil } }

    /// Ends every ear and the thread.
    func stop() {
        let ears = state.withLock { state in
            state.isStopped = true
            defer { state.ears = [:] }
            return Array(state.ears.values)
        }
        for ear in ears { ear.end() }
        // A ring is the only wake that a thread about to wait cannot miss. Other waiters merely get one hint too many.
        bell.ring(word)
    }

    private func listen() {
        var seen = bell.value(word)
        while true {
            bell.wait(word, seen: seen, milliseconds: Bell.safetyPoll)
            seen = bell.value(word)
            let ears = state.withLock { state -> [Ear]? in state.isStopped ? nil : Array(state.ears.values) }
            guard let ears else { return }
            poll()
            for ear in ears { ear.hear() }
        }
    }
}
