import AgentQueueModel
import CAgentQueue
import Glibc
import Synchronization

/// Where a worker records, in shared memory, which of its jobs' calls have begun, and which child processes it runs for them.
///
/// Layout: a word with the worker's id, then a word for each call, then two words for each child: its start time and its process id.
package final class CallRegion: Sendable {
    /// The most children that can be recorded. A child beyond them is not killed with its worker; it only ends when its input does.
    static let maxChildren = 128

    private let state: Mutex<State>

    private struct State {
        var memory: RegionMemory
        var free: [Int]
    }

    init(_ memory: RegionMemory, worker: Int64) {
        for slot in 1..<memory.count { memory.store(0, at: slot) }
        memory.store(worker, at: 0)
        state = Mutex(State(memory: memory, free: Array((1..<Self.firstChild(of: memory.count)).reversed())))
    }

    /// The index of the first word that belongs to children.
    static func firstChild(of count: Int) -> Int { count - 2 * maxChildren }

    /// Continues the records in other memory of the same size: that of the file which has taken the old one's place.
    func move(to memory: RegionMemory) {
        state.withLock { state in
            for slot in 1..<memory.count { memory.store(state.memory[slot], at: slot) }
            memory.store(state.memory[0], at: 0)
            state.memory = memory
        }
    }

    /// Replaces the recorded children by those alive now.
    package func note(children: [ChildProcessRegister.Child]) {
        state.withLock { state in
            let first = Self.firstChild(of: state.memory.count)
            for place in 0..<Self.maxChildren {
                let child = place < children.count ? children[place] : nil
                let word = first + 2 * place
                // A reader that comes between the two stores finds a process id with the wrong start time, and leaves that process alone.
                state.memory.store(child.map { Int64(truncatingIfNeeded: $0.startTime) } ?? 0, at: word)
                state.memory.store(child.map { Int64($0.pid) } ?? 0, at: word + 1)
            }
        }
    }

    /// Records that a job's call begins. Returns the slot for ``end(_:)``. Returns nil if no slot is free; the region is then marked as
    /// incomplete, so that every attempt of this worker counts as begun.
    package func begin(job: Int64) -> Int? { begin(job) }

    /// Records that a call begins that all jobs under one lease token share.
    package func begin(token: Int64) -> Int? { begin(-token) }

    private func begin(_ word: Int64) -> Int? {
        state.withLock { state in
            guard let slot = state.free.popLast() else {
                // A region without the worker's id is not trusted, so every attempt counts.
                state.memory.store(0, at: 0)
                return nil
            }
            state.memory.store(word, at: slot)
            return slot
        }
    }

    /// Records that a call has ended and its job is settled.
    package func end(_ slot: Int?) {
        guard let slot else { return }
        state.withLock { state in
            state.memory.store(0, at: slot)
            state.free.append(slot)
        }
    }
}

/// A part of a file mapped into memory that other processes read, as words.
final class RegionMemory: @unchecked Sendable {
    // @unchecked because of the pointer: only the platform's atomic stores write through it, and it stays mapped as long as this lives.
    private let words: UnsafeMutablePointer<Int64>
    let count: Int

    /// Maps `count` words from an offset of a file; nil if that is impossible, for example on a full disk.
    init?(descriptor: Int32, offset: Int64, count: Int) {
        // Allocate the pages now: a store to a page that a full disk cannot back would kill the process (SIGBUS).
        guard posix_fallocate(descriptor, off_t(offset), off_t(count * 8)) == 0,
            let memory = mmap(nil, count * 8, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, off_t(offset)), memory != MAP_FAILED
        else { return nil }
        words = memory.bindMemory(to: Int64.self, capacity: count)
        self.count = count
    }

    deinit { munmap(words, count * 8) }

    subscript(index: Int) -> Int64 { words[index] }

    func store(_ value: Int64, at index: Int) { platform_store(words + index, value) }
}
