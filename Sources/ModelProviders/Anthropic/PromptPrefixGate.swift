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
