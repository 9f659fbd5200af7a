import AgentQueueModel
import Synchronization

/// The pieces of one job's answer, kept while its call is under way. All of its viewers read them, each from its own place, so that a slow
/// one holds up neither the call nor the others, and a late one gets the answer from its first piece.
final class ReplyBuffer: Sendable {
    /// What a viewer reads.
    struct Page: Sendable {
        /// The number of the attempt that the events belong to, which no other has, in any buffer; 0 before the first.
        var attempt = 0
        /// The attempt's events from the place that was asked for.
        var events: ArraySlice<ReplyEvent> = []
        /// The events ended before the answer did, because there was no memory for more.
        var isCut = false
    }

    private struct State {
        var attempt = 0
        var events: [ReplyEvent] = []
        var bytes = 0
        var isCut = false
        var isFilledHere = false
        var viewers: [ObjectIdentifier: CallSignal] = [:]
    }

    private let memory: StreamMemory
    private let state = Mutex(State())

    init(_ memory: StreamMemory) { self.memory = memory }

    deinit { memory.give(back: state.withLock(\.bytes)) }

    /// Begins an attempt, and returns what takes its events. Those of the attempts before are dropped; who has shown some of them keeps
    /// them to compare.
    /// - Parameter isHere: whether a call of this process makes the answer.
    func begin(isHere: Bool = false) -> @Sendable (ReplyEvent) -> Void {
        let attempt = state.withLock { state in
            memory.give(back: state.bytes)
            state.attempt = memory.newAttempt()
            state.isFilledHere = isHere
            (state.events, state.bytes, state.isCut) = ([], 0, false)
            return state.attempt
        }
        return { [self] in add($0, to: attempt) }
    }

    private func add(_ event: ReplyEvent, to attempt: Int) {
        let bytes = event.bytes
        let viewers = state.withLock { state -> [CallSignal] in
            // An attempt that another has replaced may still have something to say.
            guard attempt == state.attempt, !state.isCut else { return [] }
            guard state.bytes + bytes <= JobLimits.maxReplyBytes, memory.take(bytes) else {
                state.isCut = true
                return Array(state.viewers.values)
            }
            state.bytes += bytes
            state.events.append(event)
            return Array(state.viewers.values)
        }
        for viewer in viewers { viewer.call() }
    }

    /// Returns what there is from a place in an attempt's events, and from the first if there is another attempt by now.
    func read(_ attempt: Int, from place: Int) -> Page {
        state.withLock { state in
            let start = attempt == state.attempt ? min(place, state.events.count) : 0
            return Page(attempt: state.attempt, events: state.events[start...], isCut: state.isCut)
        }
    }

    /// Whether a call has begun to make the answer.
    var hasBegun: Bool { state.withLock { $0.attempt > 0 } }

    /// Whether a call of this process makes the answer, and not another process.
    var isFilledHere: Bool { state.withLock(\.isFilledHere) }

    /// Wakes this viewer for every event from now on.
    func add(viewer: CallSignal) { state.withLock { $0.viewers[ObjectIdentifier(viewer)] = viewer } }

    func remove(viewer: CallSignal) { state.withLock { $0.viewers[ObjectIdentifier(viewer)] = nil } }
}

/// The memory that all buffers share.
final class StreamMemory: Sendable {
    private let limit: Int
    private let used = Atomic(0)
    private let attempts = Atomic(0)

    /// - Parameter limit: in bytes.
    init(limit: Int) { self.limit = limit }

    /// Takes bytes, unless there are not so many left.
    func take(_ bytes: Int) -> Bool {
        guard used.add(bytes, ordering: .relaxed).newValue <= limit else {
            give(back: bytes)
            return false
        }
        return true
    }

    func give(back bytes: Int) { used.subtract(bytes, ordering: .relaxed) }

    /// A number for an attempt, from 1.
    func newAttempt() -> Int { attempts.add(1, ordering: .relaxed).newValue }

    var bytes: Int { used.load(ordering: .relaxed) }
}

extension ReplyEvent {
    /// About what it takes in memory.
    fileprivate var bytes: Int {
        let text =
            switch self {
            case .begin, .usage: 0
            case .text(let text), .reasoning(let text), .signature(let text), .refusal(let text), .finish(let text): text.utf8.count
            case .arguments(_, let text): text.utf8.count
            case .toolCall(_, let id, let name): id.utf8.count + name.utf8.count
            case .native(let event, let data): (event?.utf8.count ?? 0) + data.utf8.count
            }
        return text + MemoryLayout<ReplyEvent>.stride
    }
}
