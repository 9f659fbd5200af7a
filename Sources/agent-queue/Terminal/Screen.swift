import AgentQueueModel
import AgentQueueReports
import Glibc

/// What standard output or standard error is connected to.
struct Screen: Sendable {
    let isTerminal: Bool
    /// Columns, if it is a terminal that says so.
    let width: Int?
    /// Lines, if it is a terminal that says so.
    let height: Int?
    /// Colour is for terminals, and for those who have not set `NO_COLOR`.
    let usesColor: Bool

    static let output = Screen(descriptor: STDOUT_FILENO)
    static let error = Screen(descriptor: STDERR_FILENO)

    private init(descriptor: Int32) {
        isTerminal = isatty(descriptor) == 1
        guard isTerminal else {
            width = nil
            height = nil
            usesColor = false
            return
        }
        var size = winsize()
        let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0
        width = isKnown && size.ws_col > 0 ? Int(size.ws_col) : nil
        height = isKnown && size.ws_row > 0 ? Int(size.ws_row) : nil
        usesColor = Self.variable("NO_COLOR") == nil && Self.variable("TERM") != "dumb"
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

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

    /// The style that shows a tone.
    init(_ tone: Tone) {
        switch tone {
        case .good: self = .good
        case .bad: self = .bad
        case .warning: self = .warning
        case .active: self = .busy
        case .muted: self = .dim
        }
    }

    /// The style of a job's state.
    static func of(_ state: JobState) -> Style? { state.tone.map { Style($0) } }

    /// The style of a run's state.
    static func of(_ state: RunState) -> Style? { Style(state.tone) }
}

/// Signs that stand for states, in the characters that the terminal can show.
struct Glyphs {
    let completed: String
    let failed: String
    let running: String
    let waiting: String
    let skipped: String

    private init(_ signs: [String]) {
        (completed, failed, running, waiting, skipped) = (signs[0], signs[1], signs[2], signs[3], signs[4])
    }

    static let unicode = Glyphs(["✓", "✗", "●", "○", "–"])
    static let ascii = Glyphs(["+", "x", "*", "o", "-"])

    /// Those of the locale that the program was started in.
    static let own = isUTF8(variable: { name in getenv(name).map { String(cString: $0) } }) ? unicode : ascii

    /// Whether the locale's characters are UTF-8, by the order in which its variables count.
    static func isUTF8(variable: (String) -> String?) -> Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(variable).first { !$0.isEmpty } ?? ""
        let name = locale.uppercased()
        return name.contains("UTF-8") || name.contains("UTF8")
    }
}
