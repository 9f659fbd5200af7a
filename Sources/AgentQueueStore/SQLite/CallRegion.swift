import AgentQueueModel
import CAgentQueue
import Glibc
import Synchronization

/// The shared memory in which a worker records which of its jobs' calls have begun, and which child processes it runs for them.
///
/// Layout: a word with the worker's id, then a word for each call, then two words for each child: its start time and its process id.
package final class CallRegion: Sendable {
    /// The most children that can be recorded. A child beyond them is not killed with its worker; it only ends when its input does.
    static let maxChildren = 128

    // Only written with the platform's atomic stores, and each slot only by its holder.
    nonisolated(unsafe) private let words: UnsafeMutablePointer<Int64>
    private let count: Int
    private let free: Mutex<[Int]>

    init(words: UnsafeMutablePointer<Int64>, count: Int, worker: Int64) {
        self.words = words
        self.count = count
        free = Mutex(Array((1..<Self.firstChild(of: count)).reversed()))
        for slot in 1..<count { platform_store(words + slot, 0) }
        platform_store(words, worker)
    }

    deinit { munmap(words, count * 8) }

    /// The index of the first word that belongs to children.
    static func firstChild(of count: Int) -> Int { count - 2 * maxChildren }

    /// Replaces the recorded children by those alive now. Not safe to call from several threads at once.
    package func note(children: [ChildProcessRegister.Child]) {
        let first = Self.firstChild(of: count)
        for place in 0..<Self.maxChildren {
            let child = place < children.count ? children[place] : nil
            let word = words + first + 2 * place
            // A reader that comes between the two stores finds a process id with the wrong start time, and leaves that process alone.
            platform_store(word, child.map { Int64(truncatingIfNeeded: $0.startTime) } ?? 0)
            platform_store(word + 1, child.map { Int64($0.pid) } ?? 0)
        }
    }

    /// Records that a job's call begins. Returns the slot for ``end(_:)``. Returns nil if no slot is free; the region is then marked as
    /// incomplete, so that every attempt of this worker counts as begun.
    package func begin(job: Int64) -> Int? { begin(job) }

    /// Records that a call begins that all jobs under one lease token share.
    package func begin(token: Int64) -> Int? { begin(-token) }

    private func begin(_ word: Int64) -> Int? {
        guard let slot = free.withLock({ $0.popLast() }) else {
            // A region without the worker's id is not trusted, so every attempt counts.
            platform_store(words, 0)
            return nil
        }
        platform_store(words + slot, word)
        return slot
    }

    /// Records that a call has ended and its job is settled.
    package func end(_ slot: Int?) {
        guard let slot else { return }
        platform_store(words + slot, 0)
        free.withLock { $0.append(slot) }
    }
}
