import CPlatform
import Glibc
import Synchronization

/// The shared memory in which a worker notes which of its jobs' calls have begun.
public final class CallRegion: Sendable {
    // Written with the platform's atomic stores alone, and each slot by the one who holds it.
    nonisolated(unsafe) private let words: UnsafeMutablePointer<Int64>
    private let count: Int
    private let free: Mutex<[Int]>

    init(words: UnsafeMutablePointer<Int64>, count: Int, worker: Int64) {
        self.words = words
        self.count = count
        free = Mutex(Array((1..<count).reversed()))
        for slot in 1..<count { platform_store(words + slot, 0) }
        platform_store(words, worker)
    }

    deinit { munmap(words, count * 8) }

    /// Notes that a job's call begins. Returns where, for ``end(_:)``; nil if there is no room, in which case the
    /// attempt counts as begun whatever happens, for `begin` marks the region as incomplete.
    public func begin(job: Int64) -> Int? {
        guard let slot = free.withLock({ $0.popLast() }) else {
            // Without the worker's number the region says nothing, and every attempt counts.
            platform_store(words, 0)
            return nil
        }
        platform_store(words + slot, job)
        return slot
    }

    /// Notes that a call has ended and its job is settled.
    public func end(_ slot: Int?) {
        guard let slot else { return }
        platform_store(words + slot, 0)
        free.withLock { $0.append(slot) }
    }
}
