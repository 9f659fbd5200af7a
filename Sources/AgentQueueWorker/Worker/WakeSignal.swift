import AgentQueueStore
import CAgentQueue

/// A reason to look again, from anywhere. However many come while the one who looks is busy, they are one.
struct WakeSignal: Sendable {
    /// What the one who looks iterates over.
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Asks for a look.
    func call() { continuation.yield() }

    /// There will be no more.
    func finish() { continuation.finish() }
}

/// Wakes a loop when something is due, between the beats of the bell: when a lane opens, a call that waits for company leaves, or a job
/// is to be promoted.
struct WakeTimer: Sendable {
    private let signal: WakeSignal
    private let stream: AsyncStream<Int64>
    private let continuation: AsyncStream<Int64>.Continuation

    /// Makes one that is not set.
    init(_ signal: WakeSignal) {
        self.signal = signal
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Something is due in so many ms. What is due after the bell's next beat needs no timer: the loop looks then, and sets it again.
    func set(after milliseconds: Int64) {
        guard milliseconds < Bell.safetyPoll else { return }
        continuation.yield(Self.now() + max(1, milliseconds))
    }

    /// Wakes the loop at each time that was set, until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { sleepers in
            var due = Int64.max
            for await time in stream {
                let now = Self.now()
                // An earlier one that has yet to come will do: the loop then sets the next.
                guard time < due || due <= now else { continue }
                due = time
                sleepers.addTask { [signal] in
                    guard (try? await Task.sleep(for: .milliseconds(max(1, time - now)))) != nil else { return }
                    signal.call()
                }
            }
            sleepers.cancelAll()
        }
    }

    /// CLOCK_MONOTONIC, ms.
    private static func now() -> Int64 { platform_monotonic_ns() / 1_000_000 }
}
