import AgentQueueModel
import AgentQueueReports
import Glibc

/// Properties of standard output or standard error.
struct Screen: Sendable {
    let isTerminal: Bool
    /// Columns, if known.
    let width: Int?
    /// Lines, if known.
    let height: Int?
    /// Only on a terminal, and unless `NO_COLOR` is set.
    let usesColor: Bool

    static let output = Screen(descriptor: STDOUT_FILENO)
    static let error = Screen(descriptor: STDERR_FILENO)

    /// One without colour, or what a pipe is if the width is nil.
    init(width: Int?) {
        (isTerminal, self.width, height, usesColor) = (width != nil, width, nil, false)
    }

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

/// The style of text on a terminal.
enum Style: String {
    case bold = "1"
    case dim = "2"
    case good = "32"
    case bad = "31"
    case warning = "33"
    case busy = "36"

    /// Applies the style if the screen uses colour.
    static func apply(_ style: Style?, to text: String, on screen: Screen) -> String {
        guard let style, screen.usesColor, !text.isEmpty else { return text }
        return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
    }

    init(_ tone: Tone) {
        switch tone {
        case .good: self = .good
        case .bad: self = .bad
        case .warning: self = .warning
        case .active: self = .busy
        case .muted: self = .dim
        }
    }

    static func of(_ state: JobState) -> Style? { state.tone.map { Style($0) } }

    static func of(_ state: RunState) -> Style? { Style(state.tone) }
}

/// Symbols for states, in Unicode or ASCII.
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

    /// For the current locale.
    static let own = isUTF8(variable: { name in getenv(name).map { String(cString: $0) } }) ? unicode : ascii

    /// Whether the locale uses UTF-8, checking its variables in order of precedence.
    static func isUTF8(variable: (String) -> String?) -> Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(variable).first { !$0.isEmpty } ?? ""
        let name = locale.uppercased()
        return name.contains("UTF-8") || name.contains("UTF8")
    }
}
