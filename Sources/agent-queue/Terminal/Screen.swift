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
