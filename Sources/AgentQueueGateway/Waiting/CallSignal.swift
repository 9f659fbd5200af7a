import Synchronization

/// Wakes the one task that carries a request: when a piece of its answer is there, when its job has ended, or when its client has left.
/// Calls that arrive while the task is busy wake it once.
final class CallSignal: Sendable {
    private enum State {
        case idle
        case called
        case waiting(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.idle)

    /// Wakes the task.
    func call() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if case .waiting(let waiter) = state {
                state = .idle
                return waiter
            }
            state = .called
            return nil
        }
        waiter?.resume()
    }

    /// Waits for a call, for a time, or until the task is cancelled. Returns at once if there was a call since the last wait.
    func wait(until deadline: ContinuousClock.Instant?) async {
        let wasCalled = state.withLock { state in
            guard case .called = state else { return false }
            state = .idle
            return true
        }
        guard !wasCalled else { return }
        guard let deadline else { return await wait() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                // Only a wait that is over cancels the sleep.
                guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
                call()
            }
            await wait()
            group.cancelAll()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if case .called = state {
                        state = .idle
                        return true
                    }
                    state = .waiting(continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            call()
        }
    }
}
