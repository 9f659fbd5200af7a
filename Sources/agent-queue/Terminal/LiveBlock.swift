/// Some lines at the end of a terminal that are drawn again and again in their place.
struct LiveBlock {
    private let screen: Screen
    private var drawn: [String] = []

    /// - Parameter screen: standard error's.
    init(screen: Screen) {
        self.screen = screen
    }

    /// Shows lines in the place of those shown before; the last of them where the terminal is too low for all. Nothing where there is
    /// no terminal.
    mutating func show(_ lines: [String]) {
        guard screen.isTerminal else { return }
        let height = max(1, (screen.height ?? 24) - 1)
        let shown = Array(lines.suffix(height))
        guard shown != drawn else { return }
        Diagnostics.write(eraser + shown.map { "\($0)\u{1B}[K\n" }.joined())
        drawn = shown
    }

    /// Lets the lines stand: what follows is written below them.
    mutating func leave() { drawn = [] }

    /// Takes the lines away.
    mutating func clear() {
        guard !drawn.isEmpty else { return }
        Diagnostics.write(eraser)
        drawn = []
    }

    /// Goes back to the first line, and clears from there.
    private var eraser: String { drawn.isEmpty ? "" : "\u{1B}[\(drawn.count)A\r\u{1B}[J" }
}
