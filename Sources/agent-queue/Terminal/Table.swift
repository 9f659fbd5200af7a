import AgentQueueReports

/// A table with columns as wide as their text, truncated to the terminal.
struct Table {
    private let columns: [Column]
    private var rows: [[Cell]] = []
    /// Column widths, fixed by the first part.
    private var fixedWidths: [Int]?
    private let screen: Screen

    init(_ columns: [Column], screen: Screen = .output) {
        self.columns = columns
        self.screen = screen
    }

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ cells: [Cell]) {
        rows.append(cells)
    }

    /// The lines added since the last call, with titles the first time.
    ///
    /// Long tables are printed in parts, in constant memory. The first part decides the widths.
    mutating func takeLines() -> [String] {
        let isFirst = fixedWidths == nil
        let widths = fixedWidths ?? self.widths()
        fixedWidths = widths
        defer { rows.removeAll(keepingCapacity: true) }
        let titles = isFirst ? [line(columns.map { Cell($0.title, .bold) }, widths)] : []
        return titles + rows.map { line($0, widths) }
    }

    private func widths() -> [Int] {
        var widths = columns.map { DisplayWidth.of($0.title) }
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], DisplayWidth.of(cell.text)) }
        }
        guard let available = screen.width else { return widths }
        var excess = widths.reduce(2 * (widths.count - 1), +) - available
        for index in columns.indices.reversed() where excess > 0 {
            let given = min(excess, max(0, widths[index] - columns[index].leastWidth))
            widths[index] -= given
            excess -= given
        }
        return widths
    }

    private func line(_ cells: [Cell], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let isLast = index == cells.count - 1
            // Off a terminal, the last column is not truncated.
            let text = isLast && screen.width == nil ? cell.text : DisplayWidth.truncate(cell.text, to: widths[index])
            let padding = String(repeating: " ", count: max(0, widths[index] - DisplayWidth.of(text)))
            let styled = Style.apply(cell.style, to: text, on: screen)
            if columns[index].isNumber {
                line += padding + styled
            } else {
                line += isLast ? styled : styled + padding
            }
            if !isLast { line += "  " }
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}

/// One column of a table.
struct Column {
    let title: String
    /// Numbers are right-aligned.
    let isNumber: Bool
    /// Minimum width on a narrow terminal. Columns shrink from the last to the first.
    let leastWidth: Int

    init(_ title: String, isNumber: Bool = false, leastWidth: Int? = nil) {
        self.title = title
        self.isNumber = isNumber
        self.leastWidth = leastWidth ?? (isNumber ? .max : max(title.count, 8))
    }
}

/// A field of a table, already escaped.
struct Cell: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    let text: String
    let style: Style?

    init(_ text: String, _ style: Style? = nil) {
        self.text = text
        self.style = style
    }

    init(_ text: String, _ tone: Tone) {
        self.init(text, Style(tone))
    }

    init(_ status: ProviderStatus) {
        self.init(status.text, status.tone)
    }

    init(stringLiteral value: String) {
        self.init(value)
    }
}

/// Labels and values, one per line.
struct DetailView {
    private var rows: [(name: String, value: Cell)] = []
    private let screen: Screen

    init(screen: Screen = .output) {
        self.screen = screen
    }

    /// Adds a line unless the value is nil.
    mutating func add(_ name: String, _ value: String?, _ style: Style? = nil) {
        guard let value else { return }
        rows.append((name, Cell(value, style)))
    }

    /// Lines with aligned values.
    var lines: [String] {
        let width = rows.map { DisplayWidth.of($0.name) }.max() ?? 0
        return rows.map { row in
            let padding = String(repeating: " ", count: width - DisplayWidth.of(row.name))
            return
                "\(Style.apply(.dim, to: row.name, on: screen))\(padding)  \(Style.apply(row.value.style, to: row.value.text, on: screen))"
        }
    }
}
