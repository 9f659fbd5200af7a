import AgentQueueModel

/// Finds where the stream of an answer goes on when a further attempt begins it anew.
///
/// A client that has been sent a part of an answer can only be sent the rest of the same one. So the new attempt's events are compared with
/// those that were sent: as long as they say the same, however they are cut, nothing is sent; what follows goes out.
struct AttemptComparison: Sendable {
    /// What an event of the new attempt means for the stream.
    enum Outcome: Sendable, Equatable {
        /// It says what was sent already.
        case same
        /// The stream goes on with this.
        case goesOn(ReplyEvent)
        /// It says something else: the stream cannot go on.
        case differs
    }

    private let sent: [ReplyEvent]
    /// The event of `sent` that comes next, and how many bytes of its text have been compared.
    private var place = 0
    private var read = 0

    /// - Parameters:
    ///   - sent: the events that were sent, in order.
    ///   - isNative: whether the client was sent native events; otherwise it was sent canonical ones.
    init(sent: some Sequence<ReplyEvent>, isNative: Bool) {
        self.sent = sent.filter { Self.counts($0, isNative: isNative) }
    }

    /// Whether everything that was sent has been said again.
    var isComplete: Bool { place == sent.count }

    /// Events that carry nothing a client keeps differ between attempts, and do not count.
    static func counts(_ event: ReplyEvent, isNative: Bool) -> Bool {
        switch event {
        case .begin, .usage: false
        case .native: isNative
        case .text, .reasoning, .signature, .toolCall, .arguments, .refusal, .finish: !isNative
        }
    }

    mutating func compare(_ event: ReplyEvent) -> Outcome {
        guard !isComplete else { return .goesOn(event) }
        guard let (key, text) = event.divisible else {
            guard read == 0, event == sent[place] else { return .differs }
            place += 1
            return .same
        }
        var rest = text.utf8[...]
        while !rest.isEmpty, !isComplete {
            guard let (other, earlier) = sent[place].divisible, other == key else { return .differs }
            let wanted = earlier.utf8.dropFirst(read)
            let length = min(wanted.count, rest.count)
            guard wanted.prefix(length).elementsEqual(rest.prefix(length)) else { return .differs }
            rest = rest.dropFirst(length)
            read += length
            if read == earlier.utf8.count { (place, read) = (place + 1, 0) }
        }
        // A cut inside a character cannot go on: the half that was sent was no text.
        guard !rest.isEmpty else { return .same }
        guard let tail = String(rest) else { return .differs }
        return .goesOn(event.with(tail))
    }
}

extension ReplyEvent {
    /// What kind of text an event carries that may be cut anywhere.
    fileprivate enum TextKey: Equatable {
        case text, reasoning, refusal
        case arguments(Int)
    }

    fileprivate var divisible: (key: TextKey, text: String)? {
        switch self {
        case .text(let text): (.text, text)
        case .reasoning(let text): (.reasoning, text)
        case .refusal(let text): (.refusal, text)
        case .arguments(let index, let text): (.arguments(index), text)
        case .begin, .signature, .toolCall, .usage, .finish, .native: nil
        }
    }

    fileprivate func with(_ text: String) -> ReplyEvent {
        switch self {
        case .text: .text(text)
        case .reasoning: .reasoning(text)
        case .refusal: .refusal(text)
        case .arguments(let index, _): .arguments(index: index, text)
        case .begin, .signature, .toolCall, .usage, .finish, .native: self
        }
    }
}
