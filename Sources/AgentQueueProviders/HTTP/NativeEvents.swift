import AgentQueueDialects
import AgentQueueModel

/// Puts a provider's own events before the canonical events that they stand for.
struct NativeEvents: Sendable {
    private let form: RequestForm?
    private var hasBegun = false

    /// - Parameter form: the form of the provider's events; nil if they are not wanted.
    init(_ form: RequestForm?) {
        self.form = form
    }

    /// Adds an event to those that are told.
    /// - Parameters:
    ///   - canonical: what it adds to the answer.
    ///   - isFailed: whether the stream has brought an error, which is told by the call's outcome.
    mutating func add(_ event: ServerSentEvent, _ canonical: [ReplyEvent], isFailed: Bool, to told: inout [ReplyEvent]) {
        guard let form else {
            told += canonical
            return
        }
        var rest = canonical[...]
        if !hasBegun, case .begin(let model, let id, _)? = rest.first {
            hasBegun = true
            rest = rest.dropFirst()
            told.append(.begin(model: model, id: id, native: form))
        }
        if hasBegun, !isFailed { told.append(.native(event: event.name, data: event.data)) }
        told += rest
    }
}
