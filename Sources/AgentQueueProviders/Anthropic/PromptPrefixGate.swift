import Synchronization

/// Lets requests of one prefix through as ``PromptPrefixes`` says.
final class PromptPrefixGate: Sendable {
    /// A request's leave to go. Ends with ``end(_:answered:)``.
    struct Pass: Sendable {
        let request: Int
        let prefix: PromptPrefix
        /// Whether others wait for its answer to begin.
        let leads: Bool
    }

    private enum Waiter {
        case arrived
        case waiting(CheckedContinuation<PromptPrefixes.Turn?, Never>)
        /// Told before it began to wait.
        case told(PromptPrefixes.Turn)
        /// Gone before it began to wait.
        case left
    }

    private struct State {
        var prefixes = PromptPrefixes()
        var requests = 0
        var waiters: [Int: Waiter] = [:]

        /// Tells a waiter, and returns what is left to do outside the lock.
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

    /// - Parameter clock: one that does not go back, ms.
    init(clock: @escaping @Sendable () -> Int64 = PromptPrefixGate.sinceStart) {
        self.clock = clock
    }

    /// How many requests wait now.
    var waiting: Int { state.withLock { $0.waiters.count } }

    private static let start = ContinuousClock.now
    private static let sinceStart: @Sendable () -> Int64 = { Int64((ContinuousClock.now - start) / .milliseconds(1)) }

    /// Waits for a request's turn.
    /// - Parameter deadline: when it goes without waiting any longer.
    /// - Returns: nil where the task is cancelled.
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
                try? await Task.sleep(until: deadline, clock: .continuous)
                return nil
            }
            var told = await group.next() ?? nil
            group.cancelAll()
            // A turn that came with the deadline counts: nobody else has it.
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

/// Which prefixes the prompt cache holds, and who waits for one to get there: a state machine without a clock.
///
/// The cache can be read only once the first answer has begun: requests that come at once would all pay for writing the same. So
/// one leads, and the others wait until it has begun, or has failed, upon which the next one leads.
struct PromptPrefixes: Sendable {
    /// What a request is to do.
    enum Turn: Sendable, Equatable {
        /// Go: the prefix is there, or on its way.
        case go
        /// Go first, and tell when the answer begins, or that it does not come.
        case lead
        /// Wait to be told.
        case wait
    }

    private struct Entry {
        var leader: Int?
        /// In the order of their arrival.
        var waiters: [Int] = []
        /// When the cache forgets it.
        var warmUntil = Int64.min
        var lastUse = 0
    }

    /// How many prefixes it remembers, those that nobody waits for being forgotten first; one a day old is worth nothing.
    let capacity: Int
    private var entries: [PromptPrefix: Entry] = [:]
    private var uses = 0

    /// Remembers nothing yet.
    init(capacity: Int = 1_000) {
        self.capacity = max(1, capacity)
    }

    /// How many prefixes it remembers now.
    var count: Int { entries.count }

    /// A request comes.
    /// - Parameters:
    ///   - request: its number, given once.
    ///   - now: any clock that does not go back, ms; the same in all calls.
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

    /// An answer with this prefix has begun, whoever asked. Returns those who need wait no longer.
    mutating func begin(_ prefix: PromptPrefix, now: Int64) -> [Int] {
        guard var entry = entries[prefix] else { return [] }
        let released = entry.waiters
        entry.leader = nil
        entry.waiters = []
        entry.warmUntil = max(entry.warmUntil, now + prefix.timeToLive)
        entries[prefix] = entry
        return released
    }

    /// A request ends without an answer. Returns who leads now, if another must.
    mutating func fail(_ request: Int, at prefix: PromptPrefix) -> Int? {
        guard let entry = entries[prefix], entry.leader == request else { return nil }
        if entry.waiters.isEmpty {
            // Nobody waits: whoever comes next leads.
            entries[prefix] = nil
            return nil
        }
        let next = entry.waiters[0]
        entries[prefix]?.waiters.removeFirst()
        entries[prefix]?.leader = next
        return next
    }

    /// A request waits no longer.
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
