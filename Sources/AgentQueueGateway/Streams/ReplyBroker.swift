import AgentQueueModel
import AgentQueueWorker
import Synchronization

/// Passes the pieces of answers, through buffers, and the ends of jobs from the worker of this process to the requests that wait for them.
final class ReplyBroker: Sendable {
    let waiters: JobWaiters
    let memory: StreamMemory

    private struct State {
        var buffers: [Int64: ReplyBuffer] = [:]
        /// Jobs that streamed requests wait for, with their number.
        var viewers: [Int64: Int] = [:]
        /// Submissions of streamed requests under way: the calls of their jobs may begin before their ids are known.
        var submissions = 0
    }

    private let state = Mutex(State())

    /// - Parameter streamMemory: what all buffers may take together, in bytes.
    init(_ waiters: JobWaiters, streamMemory: Int) {
        self.waiters = waiters
        memory = StreamMemory(limit: streamMemory)
    }

    func listener(for job: Int64) -> (@Sendable (ReplyEvent) -> Void)? {
        let buffer = state.withLock { state -> ReplyBuffer? in
            if let buffer = state.buffers[job] { return buffer }
            guard state.submissions > 0 || state.viewers[job] != nil else { return nil }
            let buffer = ReplyBuffer(memory)
            state.buffers[job] = buffer
            return buffer
        }
        return buffer?.begin(isHere: true)
    }

    func ended(_ job: Int64, _ end: JobState) {
        // Viewers keep the buffer until they have read it. A job that goes back to the queue may go on in another process.
        state.withLock { state in
            if end.isFinal || state.viewers[job] == nil { state.buffers[job] = nil }
        }
        if end.isFinal { waiters.ended(job, end) }
    }

    /// Call before a job is added that is to be waited for, and ``endSubmission(isStreamed:)`` once it is.
    func beginSubmission(isStreamed: Bool) -> JobWaiters.Mark {
        if isStreamed { state.withLock { $0.submissions += 1 } }
        return waiters.beginSubmission()
    }

    func endSubmission(isStreamed: Bool) {
        if isStreamed { state.withLock { $0.submissions -= 1 } }
        waiters.endSubmission()
    }

    /// The buffer of a job whose answer a viewer reads from now on.
    func view(_ job: Int64, _ signal: CallSignal) -> ReplyBuffer {
        let buffer = state.withLock { state -> ReplyBuffer in
            state.viewers[job, default: 0] += 1
            if let buffer = state.buffers[job] { return buffer }
            let buffer = ReplyBuffer(memory)
            state.buffers[job] = buffer
            return buffer
        }
        buffer.add(viewer: signal)
        return buffer
    }

    /// A viewer reads no more. The pieces so far are kept for a client that attaches later, as long as the call goes on here.
    func leave(_ job: Int64, _ buffer: ReplyBuffer, _ signal: CallSignal) {
        buffer.remove(viewer: signal)
        let hasEnded = waiters.end(of: job) != nil
        state.withLock { state in
            let left = (state.viewers[job] ?? 1) - 1
            state.viewers[job] = left > 0 ? left : nil
            if left <= 0, hasEnded || !buffer.isFilledHere { state.buffers[job] = nil }
        }
    }

    /// The jobs that viewers read, with their buffers.
    var viewed: [Int64: ReplyBuffer] {
        state.withLock { state in state.buffers.filter { state.viewers[$0.key] != nil } }
    }
}
