import AgentQueueDialects
import AgentQueueModel

/// One client's place in a job's answer: which of its pieces the client is to be sent next.
///
/// A client that was sent a part of an answer can only be sent the rest of the same one. If a further attempt makes another, its stream
/// cannot go on.
struct ReplyViewer: Sendable {
    /// The answer does not go on where the client's stream ends.
    struct Restarted: Error {}

    private let form: RequestForm
    private var attempt = 0
    private var place = 0
    /// The beginning of the attempt, which goes out with its first content: only then it is sure that this attempt is the one.
    private var beginning: ReplyEvent?
    /// The tokens that were counted before it: of the input, which the beginning tells.
    private var usage: ReplyEvent?
    /// Whether the attempt's native events are sent.
    private var isNative = false
    /// What was sent, without what no client keeps.
    private var sent: [ReplyEvent] = []
    /// Whether something was sent that is no longer known, since there was no memory for it.
    private var hasForgotten = false
    private var sentNative = false
    /// Whether the attempt has said how it ends, so that nothing of the answer is missing.
    private var isFinished = false
    private var comparison: AttemptComparison?

    init(_ form: RequestForm) { self.form = form }

    /// Whether the client was sent a part of the answer.
    var hasBegun: Bool { hasForgotten || !sent.isEmpty }

    /// The events that the client is to be sent now.
    /// - Parameter viewer: as which the client is known to the buffer.
    /// - Throws: ``Restarted``.
    mutating func take(from buffer: ReplyBuffer, by viewer: CallSignal? = nil) throws(Restarted) -> [ReplyEvent] {
        let page = buffer.read(attempt, from: place, by: viewer)
        if page.attempt != attempt {
            guard !hasForgotten else { throw Restarted() }
            (attempt, place, beginning, usage, isFinished, isNative) = (page.attempt, 0, nil, nil, false, false)
            comparison = sent.isEmpty ? nil : AttemptComparison(sent: sent, isNative: sentNative)
        }
        place += page.events.count
        let events = try take(page.events)
        if page.hasDropped, !sent.isEmpty { (sent, hasForgotten) = ([], true) }
        return events
    }

    /// The events that the client is to be sent now, of these, which follow those before.
    mutating func take(_ events: some Sequence<ReplyEvent>) throws(Restarted) -> [ReplyEvent] {
        var shown: [ReplyEvent] = []
        for event in events { try take(event, &shown) }
        return shown
    }

    private mutating func take(_ event: ReplyEvent, _ shown: inout [ReplyEvent]) throws(Restarted) {
        switch event {
        case .begin(_, _, let native):
            (beginning, isNative) = (event, native == form)
            return
        case .finish: isFinished = true
        default: break
        }
        guard AttemptComparison.counts(event, isNative: isNative) else {
            // The tokens so far, and the canonical events beside native ones, which the renderer skips but for the reason of the end.
            if hasBegun, comparison == nil {
                shown.append(event)
            } else if case .usage = event {
                usage = event
            }
            return
        }
        guard comparison != nil else { return show(event, &shown) }
        guard isNative == sentNative, let outcome = comparison?.compare(event) else { throw Restarted() }
        switch outcome {
        case .same: return
        case .goesOn(let rest):
            comparison = nil
            show(rest, &shown)
        case .differs: throw Restarted()
        }
    }

    private mutating func show(_ event: ReplyEvent, _ shown: inout [ReplyEvent]) {
        if !hasBegun { shown += [usage, beginning].compactMap(\.self) }
        (beginning, usage) = (nil, nil)
        if !hasForgotten { sent.append(event) }
        sentNative = isNative
        shown.append(event)
    }

    /// Makes sure that the stored answer is the one whose beginning was sent, so that its rest can follow.
    /// - Throws: ``Restarted``.
    func check(_ reply: ModelReply) throws(Restarted) {
        guard hasBegun else { return }
        if isFinished, comparison?.isComplete ?? true { return }
        // The pieces ended too soon, or another process answered.
        guard !sentNative, !hasForgotten else { throw Restarted() }
        var comparison = AttemptComparison(sent: sent, isNative: false)
        let saysReasoning = sent.contains { if case .reasoning = $0 { true } else { false } }
        for event in reply.events where !comparison.isComplete {
            // Pieces that come by way of the file carry the text alone.
            if case .reasoning = event, !saysReasoning { continue }
            if comparison.compare(event) == .differs { throw Restarted() }
        }
        guard comparison.isComplete else { throw Restarted() }
    }
}

extension ModelReply {
    /// The answer as the events that would have brought it.
    fileprivate var events: [ReplyEvent] {
        var events: [ReplyEvent] = []
        if let reasoning, !reasoning.isEmpty { events.append(.reasoning(reasoning)) }
        if let text, !text.isEmpty { events.append(.text(text)) }
        for (index, call) in (toolCalls?.array ?? []).enumerated() {
            events.append(.toolCall(index: index, id: call["id"]?.string ?? "", name: call["function"]?["name"]?.string ?? ""))
            if let arguments = call["function"]?["arguments"]?.string, !arguments.isEmpty {
                events.append(.arguments(index: index, arguments))
            }
        }
        return events
    }
}
