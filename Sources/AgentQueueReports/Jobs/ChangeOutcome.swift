import AgentQueueModel
import AgentQueueStore

/// What a command does to jobs.
package enum ChangeVerb: String, Sendable {
    case cancelled
    case retried
    case deleted

    package init(_ operation: JobOperation) {
        self =
            switch operation {
            case .cancel: .cancelled
            case .retry: .retried
            case .delete: .deleted
            }
    }

    fileprivate func sentence(_ state: JobState) -> String {
        switch (self, state) {
        case (.cancelled, .running): "running; cancellation requested"
        case (.retried, _): "retried, \(state.displayName)"
        default: rawValue
        }
    }
}

/// The result of cancelling, retrying or deleting a job or run.
package struct ChangeOutcome: Sendable {
    package enum Result: String, Sendable {
        case changed
        /// It was already in the wanted state.
        case unchanged
        case notFound = "not_found"
        case refused
    }

    package let id: Int64
    package let result: Result
    package let sentence: String
    /// The stored state; nil if nothing could be done.
    private let state: String?

    package init(_ change: JobChange, _ verb: ChangeVerb) {
        id = change.id
        switch change.result {
        case .changed(let state): (result, self.state, sentence) = (.changed, state.rawValue, verb.sentence(state))
        case .unchanged(let state): (result, self.state, sentence) = (.unchanged, state.rawValue, "unchanged: \(state.displayName)")
        case .notFound: (result, state, sentence) = (.notFound, nil, "not found")
        case .refused(let reason): (result, state, sentence) = (.refused, nil, "not \(verb.rawValue): \(reason)")
        }
    }

    /// - Parameters:
    ///   - state: The run's state now; nil if there is no such run.
    ///   - verb: What was done; nil if there was nothing to do.
    package init(run id: Int64, _ state: RunState?, _ verb: ChangeVerb?) {
        self.id = id
        self.state = state?.rawValue
        (result, sentence) =
            switch (state, verb) {
            case (nil, _): (.notFound, "not found")
            case (_, let verb?): (.changed, verb.rawValue)
            case (let state?, nil): (.unchanged, "unchanged: \(state.rawValue)")
            }
    }

    /// Whether it is now in the wanted state.
    package var isDone: Bool { result == .changed || result == .unchanged }

    package var json: JSONValue {
        .object([
            .init("id", .integer(id)), .init("result", .string(result.rawValue)), .init("state", JobJSON.string(state)),
            .init("reason", result == .changed ? .null : .string(sentence)),
        ])
    }
}
