import AgentQueueStore

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

/// When lanes that a claim was turned away from may open, or calls leave that wait for company: looks again then, not only at the next
/// ring.
struct WakeTimer: Sendable {
    private let stream: AsyncStream<Int64>
    private let continuation: AsyncStream<Int64>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The next opening is at that time (wall clock, ms).
    func set(_ time: Int64) { continuation.yield(time) }

    /// Calls for a look at each opening, until the task is cancelled.
    func watch(clock: StoreClock, _ attention: WakeSignal) async {
        await withDiscardingTaskGroup { timers in
            var due = Int64.max
            for await time in stream {
                let now = clock.wall()
                // One that is due earlier, and has yet to come, will do: the claim then tells of the next.
                guard time < due || due <= now else { continue }
                due = time
                timers.addTask {
                    guard (try? await Task.sleep(for: .milliseconds(max(1, time - now)))) != nil else { return }
                    attention.call()
                }
            }
            timers.cancelAll()
        }
    }
}
