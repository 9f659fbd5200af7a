import AgentQueue
import JobModel

/// What trying a provider came to.
struct TrialResult: Sendable {
    let provider: String
    let model: String?
    let status: Status
    let reason: String?
    let milliseconds: Int64?

    /// In one word.
    enum Status: String {
        case answers
        case failed
        /// Not asked: it has no key, and nobody named it.
        case skipped

        var style: Style {
            switch self {
            case .answers: .good
            case .failed: .bad
            case .skipped: .dim
            }
        }
    }

    init(_ trial: ProviderTrial, _ status: Status, reason: String? = nil, model: String? = nil, milliseconds: Int64? = nil) {
        provider = trial.provider
        self.model = model ?? trial.model
        self.status = status
        self.reason = reason
        self.milliseconds = milliseconds
    }

    var json: JSONValue {
        .object([
            .init("provider", .string(provider)), .init("model", JobJSON.string(model)), .init("status", .string(status.rawValue)),
            .init("latency_ms", milliseconds.map(JSONValue.integer) ?? .null), .init("reason", JobJSON.string(reason)),
        ])
    }
}
