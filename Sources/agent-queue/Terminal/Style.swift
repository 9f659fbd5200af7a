import JobModel

/// How a piece of text stands out on a terminal with colour.
enum Style: String {
    case bold = "1"
    case dim = "2"
    case good = "32"
    case bad = "31"
    case warning = "33"
    case busy = "36"

    /// The text with the style around it, if there is colour.
    static func apply(_ style: Style?, to text: String, on screen: Screen) -> String {
        guard let style, screen.usesColor, !text.isEmpty else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }

    /// The style of a state's name.
    static func of(_ state: JobState) -> Style? {
        switch state {
        case .completed: .good
        case .discarded: .bad
        case .cancelled, .retryable: .warning
        case .running: .busy
        case .pending, .scheduled: .dim
        case .available: nil
        }
    }

    /// The style of a run's state.
    static func of(_ state: RunState) -> Style? {
        switch state {
        case .running: .busy
        case .completed: .good
        case .failed: .bad
        case .cancelled: .warning
        }
    }
}
