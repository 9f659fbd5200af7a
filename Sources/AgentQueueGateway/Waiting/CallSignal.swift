import Synchronization

/// Wakes the one task that carries a request: when a piece of its answer is there, when its job has ended, or when its client has left.
/// Calls that arrive while the task is busy wake it once.
final class CallSignal: Sendable {
    private struct State {
        var wasCalled = false
        var waiter: CheckedContinuation<Void, Never>?
        /// When the sleep ends that will call next; nil without one.
        var alarm: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// Wakes the task.
    func call() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiter = state.waiter.take() else {
                state.wasCalled = true
                return nil
            }
            return waiter
        }
        waiter?.resume()
    }

    /// Waits for a call, for a time, or until the task is cancelled. Returns at once if there was a call since the last wait, and sometimes
    /// before the time, when that of an earlier wait has come.
    func wait(until deadline: ContinuousClock.Instant?) async {
        if let deadline { setAlarm(deadline) }
        await wait()
    }

    /// Calls at a time or before. A stream waits anew for each of its pieces, and a sleep takes memory until its end, even if it is cancelled.
    /// So no sleep is begun while one is under way that ends before it, and none is cancelled.
    private func setAlarm(_ time: ContinuousClock.Instant) {
        let isNeeded = state.withLock { state in
            guard !state.wasCalled else { return false }
            if let alarm = state.alarm, alarm <= time { return false }
            state.alarm = time
            return true
        }
        guard isNeeded else { return }
        // Nothing cancels it, and if something did, a call too early would do no harm.
        Task { [weak self] in
            try? await Task.sleep(until: time, clock: .continuous)
            self?.ring(time)
        }
    }

    private func ring(_ time: ContinuousClock.Instant) {
        state.withLock { if $0.alarm == time { $0.alarm = nil } }
        call()
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard !state.wasCalled else {
                        state.wasCalled = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            call()
        }
    }
}
