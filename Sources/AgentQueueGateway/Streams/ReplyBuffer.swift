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
        /// The events ended before the answer did, because there was no memory for more, or begin after the place that was asked for,
        /// because those before have made room for others.
        var isCut = false
        /// The attempt's first events are no longer known.
        var hasDropped = false
    }

    private struct Viewer {
        var signal: CallSignal
        /// Which event it reads next.
        var place = 0
    }

    private struct State {
        var attempt = 0
        /// How many events were dropped, once all viewers had read them, to make room.
        var dropped = 0
        /// Those that follow.
        var events: [ReplyEvent] = []
        var bytes = 0
        var isCut = false
        var isFilledHere = false
        var viewers: [ObjectIdentifier: Viewer] = [:]

        var signals: [CallSignal] { viewers.values.map(\.signal) }

        /// Takes memory for an event, if there is enough.
        mutating func take(_ count: Int, _ memory: StreamMemory) -> Bool {
            guard bytes + count <= JobLimits.maxReplyBytes, memory.take(count, holding: bytes) else { return false }
            bytes += count
            return true
        }

        /// Drops the events that all viewers have read. Who comes later gets the whole answer at its end.
        mutating func makeRoom(_ memory: StreamMemory) {
            let count = min(viewers.values.map(\.place).min() ?? 0, dropped + events.count) - dropped
            guard count > 0 else { return }
            let freed = events.prefix(count).reduce(0) { $0 + $1.bytes }
            events.removeFirst(count)
            dropped += count
            bytes -= freed
            memory.give(back: freed)
        }
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
            (state.dropped, state.events, state.bytes, state.isCut) = (0, [], 0, false)
            for viewer in state.viewers.keys { state.viewers[viewer]?.place = 0 }
            return state.attempt
        }
        return { [self] in add($0, to: attempt) }
    }

    private func add(_ event: ReplyEvent, to attempt: Int) {
        let bytes = event.bytes
        let viewers = state.withLock { state -> [CallSignal] in
            // An attempt that was replaced may still send events.
            guard attempt == state.attempt, !state.isCut else { return [] }
            if !state.take(bytes, memory) {
                state.makeRoom(memory)
                guard state.take(bytes, memory) else {
                    state.isCut = true
                    return state.signals
                }
            }
            state.events.append(event)
            return state.signals
        }
        for viewer in viewers { viewer.call() }
    }

    /// Returns what there is from a place in an attempt's events, and from the first if there is another attempt by now.
    /// - Parameter viewer: who reads, if it is one of those that are woken.
    func read(_ attempt: Int, from place: Int, by viewer: CallSignal? = nil) -> Page {
        state.withLock { state in
            let end = state.dropped + state.events.count
            let start = attempt == state.attempt ? min(place, end) : 0
            let isLate = start < state.dropped
            // Who is late reads no more of this attempt, and keeps nothing.
            if let viewer { state.viewers[ObjectIdentifier(viewer)]?.place = isLate ? .max : end }
            return Page(
                attempt: state.attempt, events: isLate ? [] : state.events[(start - state.dropped)...], isCut: state.isCut || isLate,
                hasDropped: state.dropped > 0)
        }
    }

    /// Whether a call has begun to make the answer.
    var hasBegun: Bool { state.withLock { $0.attempt > 0 } }

    /// Whether a call of this process makes the answer, and not another process.
    var isFilledHere: Bool { state.withLock(\.isFilledHere) }

    /// Wakes this viewer for every event from now on.
    func add(viewer: CallSignal) { state.withLock { $0.viewers[ObjectIdentifier(viewer)] = Viewer(signal: viewer) } }

    func remove(viewer: CallSignal) { state.withLock { $0.viewers[ObjectIdentifier(viewer)] = nil } }
}

/// The memory that all buffers share.
final class StreamMemory: Sendable {
    private let limit: Int
    private let reserve: Int
    private let used = Atomic(0)
    private let attempts = Atomic(0)

    /// - Parameters:
    ///   - limit: in bytes.
    ///   - reserve: what each buffer may have all the same, in bytes: those who read fast do not suffer from those who do not.
    init(limit: Int, reserve: Int = 64 << 10) {
        self.limit = limit
        self.reserve = reserve
    }

    /// Takes bytes, unless there are not so many left.
    /// - Parameter held: what the same buffer has already.
    func take(_ bytes: Int, holding held: Int) -> Bool {
        let left = used.add(bytes, ordering: .relaxed).newValue <= limit
        guard left || held + bytes <= reserve else {
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
