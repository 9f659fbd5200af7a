import AgentQueueStore
import CAgentQueue

/// Wakes a loop from anywhere. Calls that arrive while the loop is busy wake it once.
struct WakeSignal: Sendable {
    /// What the loop iterates over.
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Wakes the loop.
    func call() { continuation.yield() }

    /// Ends the loop.
    func finish() { continuation.finish() }
}

/// Wakes a loop when something is due, between the beats of the bell: when a lane opens, a call that waits for company leaves, or a job
/// is to be promoted.
struct WakeTimer: Sendable {
    private let signal: WakeSignal
    private let stream: AsyncStream<Int64>
    private let continuation: AsyncStream<Int64>.Continuation

    /// Makes a timer that is not set.
    init(_ signal: WakeSignal) {
        self.signal = signal
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Wakes the loop after a time in ms. A time after the bell's next beat is ignored: the loop is woken then, and sets the timer again.
    func set(after milliseconds: Int64) {
        guard milliseconds < Bell.safetyPoll else { return }
        continuation.yield(Self.now() + max(1, milliseconds))
    }

    /// Runs the timer until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { sleepers in
            var due = Int64.max
            for await time in stream {
                let now = Self.now()
                // An earlier wake-up is pending. The loop will set the timer again then.
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
