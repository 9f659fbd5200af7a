import JobModel

/// How a step stands.
enum StepStatus {
    /// It has not ended, or not begun.
    case waiting
    /// It has ended well.
    case done
    /// Its condition does not hold, or it failed and may: its output is null.
    case skipped
    /// It failed, and this is its output.
    case fallback(JSONValue)

    var isWaiting: Bool { if case .waiting = self { true } else { false } }
}
