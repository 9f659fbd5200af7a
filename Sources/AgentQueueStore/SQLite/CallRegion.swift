import AgentQueueModel
import CAgentQueue
import Glibc
import Synchronization

/// The shared memory in which a worker notes which of its jobs' calls have begun, and which processes it runs for them.
///
/// A word with the worker's number, then a word for each job, then two words for each child: its start time and its process id.
package final class CallRegion: Sendable {
    /// The most children that can be noted. One beyond them is not ended with its worker, only by the end of its input.
    static let maxChildren = 128

    // Written with the platform's atomic stores alone, and each slot by the one who holds it.
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

    /// The word with which the children begin.
    static func firstChild(of count: Int) -> Int { count - 2 * maxChildren }

    /// Notes the children that live now, in place of those noted before. Not for use by several threads at once.
    package func note(children: [ChildProcessRegister.Child]) {
        let first = Self.firstChild(of: count)
        for place in 0..<Self.maxChildren {
            let child = place < children.count ? children[place] : nil
            let word = words + first + 2 * place
            // A reader that comes between the two finds a process id whose start time is another: it leaves that one alone.
            platform_store(word, child.map { Int64(truncatingIfNeeded: $0.startTime) } ?? 0)
            platform_store(word + 1, child.map { Int64($0.pid) } ?? 0)
        }
    }

    /// Notes that a job's call begins. Returns where, for ``end(_:)``; nil if there is no room, in which case the
    /// attempt counts as begun whatever happens, for `begin` marks the region as incomplete.
    package func begin(job: Int64) -> Int? { begin(job) }

    /// Notes that the call begins which all jobs of a lease's token share.
    package func begin(token: Int64) -> Int? { begin(-token) }

    private func begin(_ word: Int64) -> Int? {
        guard let slot = free.withLock({ $0.popLast() }) else {
            // Without the worker's number the region says nothing, and every attempt counts.
            platform_store(words, 0)
            return nil
        }
        platform_store(words + slot, word)
        return slot
    }

    /// Notes that a call has ended and its job is settled.
    package func end(_ slot: Int?) {
        guard let slot else { return }
        platform_store(words + slot, 0)
        free.withLock { $0.append(slot) }
    }
}
