import AgentQueueModel

extension JobState {
    /// The name shown to people: `failed` for `discarded`, which the database and JSON use.
    package var displayName: String { self == .discarded ? "failed" : rawValue }

    /// Accepts the stored name as well.
    package init?(displayName: String) {
        switch displayName {
        case "failed": self = .discarded
        default: self.init(rawValue: displayName)
        }
    }

    package var tone: Tone? {
        switch self {
        case .completed: .good
        case .discarded: .bad
        case .cancelled, .retryable: .warning
        case .running: .active
        case .pending, .scheduled: .muted
        case .available: nil
        }
    }
}

extension RunState {
    package var tone: Tone {
        switch self {
        case .running: .active
        case .completed: .good
        case .failed: .bad
        case .cancelled: .warning
        }
    }
}
