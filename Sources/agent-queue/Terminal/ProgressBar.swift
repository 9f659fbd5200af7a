import AgentQueueReports

/// One live line on standard error, if that is a terminal: how far, how fast, how much longer.
struct ProgressBar {
    /// What is counted.
    enum Unit {
        case things
        case bytes
    }

    private let label: String
    private let unit: Unit
    private let start = Now.seconds
    private var base: Int?
    private var drawnAt = -1.0
    private var isDrawn = false

    init(_ label: String, unit: Unit = .things) {
        self.label = label
        self.unit = unit
    }

    /// Draws the line, ten times a second at most. The rate counts from the first call on.
    /// - Parameter total: nil where it is not known.
    mutating func update(_ done: Int, of total: Int?) {
        let base = base ?? done
        self.base = base
        let now = Now.seconds
        guard Screen.error.isTerminal, now - drawnAt >= 0.1 || done == total else { return }
        drawnAt = now
        isDrawn = true
        let rate = now - start > 0.2 ? Double(done - base) / (now - start) : 0
        let line = line(done, of: total, rate: rate)
        let width = (Screen.error.width ?? 80) - 1
        Diagnostics.write("\r\(DisplayWidth.truncate(line, to: width))\u{1B}[K")
    }

    /// Takes the line away, so that what follows starts on a clean one.
    mutating func clear() {
        guard isDrawn else { return }
        isDrawn = false
        Diagnostics.write("\r\u{1B}[K")
    }

    private func line(_ done: Int, of total: Int?, rate: Double) -> String {
        let speed = rate > 0 ? "  \(self.rate(rate))/s" : ""
        guard let total, total > 0 else { return "\(label)  \(amount(done))\(speed)" }
        // One thing is there or not: how long it has taken is all that moves.
        guard total > 1 else { return "\(label)  \(Figures.coarse(seconds: Int64(Now.seconds - start)))" }
        let share = min(1, Double(done) / Double(total))
        let filled = Int(share * 24)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled)
        let remaining = rate > 0 && done < total ? "  ETA \(Figures.coarse(seconds: Int64(Double(total - done) / rate) + 1))" : ""
        return "\(label)  \(bar)  \(Int(share * 100))%  \(amount(done))/\(amount(total))\(speed)\(remaining)"
    }

    private func amount(_ count: Int) -> String {
        unit == .bytes ? Figures.bytes(count) : Figures.count(count)
    }

    private func rate(_ rate: Double) -> String {
        unit == .bytes ? Figures.bytes(Int(rate)) : Figures.decimal(rate, places: rate < 10 ? 1 : 0)
    }
}

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
