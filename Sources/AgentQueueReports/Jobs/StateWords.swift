import AgentQueueModel

extension JobState {
    /// The word that people read: `failed` for the state that the database and JSON call `discarded`.
    package var displayName: String { self == .discarded ? "failed" : rawValue }

    /// Reads a state by its stored name, or by the word that people use for it.
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
