import AgentQueueDialects
import AgentQueueModel
import Synchronization

/// Admits requests with the same prefix as ``PromptPrefixes`` decides.
final class PromptPrefixGate: Sendable {
    /// Permission to send a request. It ends with ``end(_:answered:)``.
    struct Pass: Sendable {
        let request: Int
        let prefix: PromptPrefix
        /// Whether other requests wait until its answer begins.
        let leads: Bool
    }

    private enum Waiter {
        case arrived
        case waiting(CheckedContinuation<PromptPrefixes.Turn?, Never>)
        /// Decided before it began to wait.
        case told(PromptPrefixes.Turn)
        /// Cancelled before it began to wait.
        case left
    }

    private struct State {
        var prefixes = PromptPrefixes()
        var requests = 0
        var waiters: [Int: Waiter] = [:]

        /// Tells a waiter its turn. Returns what is to be done outside the lock.
        mutating func tell(_ request: Int, _ turn: PromptPrefixes.Turn) -> (@Sendable () -> Void)? {
            switch waiters[request] {
            case .arrived:
                waiters[request] = .told(turn)
                return nil
            case .waiting(let continuation):
                waiters[request] = nil
                return { continuation.resume(returning: turn) }
            case .told, .left, nil: return nil
            }
        }
    }

    private let state = Mutex(State())
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: a monotonic clock, in ms.
    init(clock: @escaping @Sendable () -> Int64 = PromptPrefixGate.sinceStart) {
        self.clock = clock
    }

    /// How many requests are waiting.
    var waiting: Int { state.withLock { $0.waiters.count } }

    private static let start = ContinuousClock.now
    private static let sinceStart: @Sendable () -> Int64 = { Int64((ContinuousClock.now - start) / .milliseconds(1)) }

    /// Waits for a request's turn.
    /// - Parameter deadline: when it stops waiting and goes anyway.
    /// - Returns: nil if the task was cancelled.
    func pass(at prefix: PromptPrefix, until deadline: ContinuousClock.Instant) async -> Pass? {
        let now = clock()
        let (request, turn) = state.withLock { state in
            state.requests += 1
            let turn = state.prefixes.arrive(state.requests, at: prefix, now: now)
            if turn == .wait { state.waiters[state.requests] = .arrived }
            return (state.requests, turn)
        }
        guard turn == .wait else { return Pass(request: request, prefix: prefix, leads: turn == .lead) }
        let told = await withTaskGroup(of: PromptPrefixes.Turn?.self) { group in
            group.addTask { await self.wait(request, prefix) }
            group.addTask {
                try? await CallTimer.sleep(until: deadline)
                return nil
            }
            var told = await group.next() ?? nil
            group.cancelAll()
            // A turn that arrives together with the deadline counts, because no other request has it.
            for await other in group { told = told ?? other }
            return told
        }
        if told == nil, Task.isCancelled { return nil }
        return Pass(request: request, prefix: prefix, leads: told == .lead)
    }

    /// An answer begins.
    func begin(_ pass: Pass) {
        let now = clock()
        let released = state.withLock { state in state.prefixes.begin(pass.prefix, now: now).compactMap { state.tell($0, .go) } }
        for release in released { release() }
    }

    /// A call has ended, with an answer or without.
    func end(_ pass: Pass, answered: Bool) {
        guard !answered else { return begin(pass) }
        state.withLock { state in
            state.prefixes.fail(pass.request, at: pass.prefix).flatMap { state.tell($0, .lead) }
        }?()
    }

    private func wait(_ request: Int, _ prefix: PromptPrefix) async -> PromptPrefixes.Turn? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<PromptPrefixes.Turn?, Never>) in
                let told: PromptPrefixes.Turn?? = state.withLock { state in
                    switch state.waiters[request] {
                    case .arrived:
                        state.waiters[request] = .waiting(continuation)
                        return nil
                    case .told(let turn):
                        state.waiters[request] = nil
                        return .some(turn)
                    case .left, .waiting, nil:
                        state.waiters[request] = nil
                        return .some(nil)
                    }
                }
                if let told { continuation.resume(returning: told) }
            }
        } onCancel: {
            leave(request, prefix)
        }
    }

    private func leave(_ request: Int, _ prefix: PromptPrefix) {
        let continuation: CheckedContinuation<PromptPrefixes.Turn?, Never>? = state.withLock { state in
            switch state.waiters[request] {
            case .arrived:
                state.waiters[request] = .left
                state.prefixes.leave(request, at: prefix)
                return nil
            case .waiting(let continuation):
                state.waiters[request] = nil
                state.prefixes.leave(request, at: prefix)
                return continuation
            case .told, .left, nil: return nil
            }
        }
        continuation?.resume(returning: nil)
    }
}

/// Which prefixes the prompt cache holds, and which requests wait for one to get there: a state machine without a clock.
///
/// A prefix can be read from the cache once the first answer has begun. Requests that were sent together would all pay to write it, so one
/// leads and the others wait until it has begun. If it fails, the next one leads.
struct PromptPrefixes: Sendable {
    /// What a request must do.
    enum Turn: Sendable, Equatable {
        /// Go: the prefix is in the cache, or will be shortly.
        case go
        /// Go first, then report that the answer has begun, or that there is none.
        case lead
        /// Wait for a turn.
        case wait
    }

    private struct Entry {
        var leader: Int?
        /// In order of arrival.
        var waiters: [Int] = []
        /// When it expires from the cache.
        var warmUntil = Int64.min
        var lastUse = 0
    }

    /// How many prefixes are remembered. Idle ones are forgotten first: a prefix a day old is worth nothing.
    let capacity: Int
    private var entries: [PromptPrefix: Entry] = [:]
    private var uses = 0

    /// Starts with no prefixes.
    init(capacity: Int = 1_000) {
        self.capacity = max(1, capacity)
    }

    /// How many prefixes are remembered now.
    var count: Int { entries.count }

    /// A request arrives.
    /// - Parameters:
    ///   - request: a number that no other request has.
    ///   - now: a monotonic clock in ms, the same one in every call.
    mutating func arrive(_ request: Int, at prefix: PromptPrefix, now: Int64) -> Turn {
        var entry = entries[prefix] ?? Entry()
        uses += 1
        entry.lastUse = uses
        let turn: Turn
        if entry.warmUntil > now {
            turn = .go
        } else if entry.leader == nil {
            entry.leader = request
            turn = .lead
        } else {
            entry.waiters.append(request)
            turn = .wait
        }
        entries[prefix] = entry
        forget()
        return turn
    }

    /// An answer with this prefix has begun. Returns the requests that need not wait any longer.
    mutating func begin(_ prefix: PromptPrefix, now: Int64) -> [Int] {
        guard var entry = entries[prefix] else { return [] }
        let released = entry.waiters
        entry.leader = nil
        entry.waiters = []
        entry.warmUntil = max(entry.warmUntil, now + prefix.timeToLive)
        entries[prefix] = entry
        return released
    }

    /// A request ended without an answer. Returns the request that leads now, if one does.
    mutating func fail(_ request: Int, at prefix: PromptPrefix) -> Int? {
        guard let entry = entries[prefix], entry.leader == request else { return nil }
        if entry.waiters.isEmpty {
            // No request waits, so the next to arrive leads.
            entries[prefix] = nil
            return nil
        }
        let next = entry.waiters[0]
        entries[prefix]?.waiters.removeFirst()
        entries[prefix]?.leader = next
        return next
    }

    /// A request no longer waits.
    mutating func leave(_ request: Int, at prefix: PromptPrefix) {
        entries[prefix]?.waiters.removeAll { $0 == request }
    }

    private mutating func forget() {
        while entries.count > capacity {
            let idle = entries.lazy.filter { $0.value.leader == nil && $0.value.waiters.isEmpty }
            guard let oldest = idle.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else { return }
            entries[oldest] = nil
        }
    }
}
