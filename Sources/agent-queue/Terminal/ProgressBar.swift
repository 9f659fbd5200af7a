import AgentQueueReports

/// A progress bar on standard error, if that is a terminal.
struct ProgressBar {
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

    /// Draws the bar, at most ten times a second. The rate is measured from the first call.
    /// - Parameter total: Nil if unknown.
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

    /// Removes the bar.
    mutating func clear() {
        guard isDrawn else { return }
        isDrawn = false
        Diagnostics.write("\r\u{1B}[K")
    }

    private func line(_ done: Int, of total: Int?, rate: Double) -> String {
        let speed = rate > 0 ? "  \(self.rate(rate))/s" : ""
        guard let total, total > 0 else { return "\(label)  \(amount(done))\(speed)" }
        // With a single item, the elapsed time is all there is to show.
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

/// Lines at the bottom of a terminal that are redrawn in place.
struct LiveBlock {
    private let screen: Screen
    private var drawn: [String] = []

    init(screen: Screen) {
        self.screen = screen
    }

    /// Replaces the lines shown before, keeping the last ones if the terminal is too small. Does nothing off a terminal.
    mutating func show(_ lines: [String]) {
        guard screen.isTerminal else { return }
        let height = max(1, (screen.height ?? 24) - 1)
        let shown = Array(lines.suffix(height))
        guard shown != drawn else { return }
        Diagnostics.write(eraser + shown.map { "\($0)\u{1B}[K\n" }.joined())
        drawn = shown
    }

    /// Leaves the lines on the screen.
    mutating func leave() { drawn = [] }

    /// Removes the lines.
    mutating func clear() {
        guard !drawn.isEmpty else { return }
        Diagnostics.write(eraser)
        drawn = []
    }

    /// Moves to the first line and clears from there.
    private var eraser: String { drawn.isEmpty ? "" : "\u{1B}[\(drawn.count)A\r\u{1B}[J" }
}
