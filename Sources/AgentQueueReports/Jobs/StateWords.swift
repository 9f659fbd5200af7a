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
}
