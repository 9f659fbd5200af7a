import JobModel

/// How a step of a run stands, or one call of it.
enum StepStanding: String {
    /// It has not begun, or its job has not.
    case waiting
    case running
    /// Its job is waiting for another attempt.
    case retrying
    case completed
    case failed
    case cancelled
    /// It was not needed, or the run ended before it.
    case skipped

    init(_ call: StepCallDetail) {
        switch (call.record.state, call.jobState) {
        case (.completed, _), (.running, .completed): self = .completed
        case (_, .cancelled): self = .cancelled
        case (.failed, _), (.running, .discarded): self = .failed
        case (.running, .running): self = .running
        case (.running, .retryable): self = .retrying
        case (.running, _): self = .waiting
        }
    }

    /// Whether nothing more happens to it by itself.
    var isFinal: Bool {
        switch self {
        case .waiting, .running, .retrying: false
        case .completed, .failed, .cancelled, .skipped: true
        }
    }

    func glyph(_ glyphs: Glyphs) -> String {
        switch self {
        case .waiting: glyphs.waiting
        case .running, .retrying: glyphs.running
        case .completed: glyphs.completed
        case .failed, .cancelled: glyphs.failed
        case .skipped: glyphs.skipped
        }
    }

    var style: Style? {
        switch self {
        case .waiting, .skipped: .dim
        case .running: .busy
        case .retrying, .cancelled: .warning
        case .completed: .good
        case .failed: .bad
        }
    }
}
