import AgentQueueReports

/// A table with columns as wide as their text. On a terminal it fits the width: free text is cut first, then names; never a figure, a
/// state or an ID. A table that does not fit even so loses columns of zeros, if it may, or is printed in blocks, one for each row.
struct Table {
    private let columns: [Column]
    private var rows: [[Cell]] = []
    /// Fixed by the first part.
    private var layout: Layout?
    private let screen: Screen
    private let mayOmitZeros: Bool

    /// How the rows are printed.
    private enum Layout {
        /// With the width of each column; nil for one that is left out.
        case columns([Int?])
        case blocks
    }

    /// - Parameter mayOmitZeros: Whether figures that are zero in all rows may be left out on a narrow terminal.
    init(_ columns: [Column], mayOmitZeros: Bool = false, screen: Screen = .output) {
        self.columns = columns
        self.mayOmitZeros = mayOmitZeros
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
        let isFirst = layout == nil
        let layout = layout ?? chosenLayout()
        self.layout = layout
        defer { rows.removeAll(keepingCapacity: true) }
        switch layout {
        case .columns(let widths):
            let titles = isFirst ? [line(columns.map { Cell($0.title, .bold) }, widths)] : []
            return titles + rows.map { line($0, widths) }
        case .blocks: return rows.flatMap(block)
        }
    }

    // MARK: Columns

    private func chosenLayout() -> Layout {
        var widths = columns.map { DisplayWidth.of($0.title) }
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], DisplayWidth.of(cell.text)) }
        }
        guard let available = screen.width else { return .columns(widths) }
        let whole = widths
        var excess = widths.reduce(Self.gap * (widths.count - 1), +) - available
        for kind in [Column.Kind.text, .name] { shrink(&widths, of: kind, by: &excess) }
        guard excess > 0 else { return .columns(widths) }
        guard mayOmitZeros else { return .blocks }
        let kept = columns.indices.filter { index in columns[index].kind != .figure || rows.contains { $0[index].text != "0" } }
        let narrow = kept.reduce(Self.gap * (kept.count - 1)) { $0 + (columns[$1].mayBeCut ? columns[$1].leastWidth : whole[$1]) }
        guard narrow <= available else { return .blocks }
        var least = columns.indices.map { kept.contains($0) ? whole[$0] : 0 }
        excess = kept.reduce(Self.gap * (kept.count - 1)) { $0 + whole[$1] } - available
        for kind in [Column.Kind.text, .name] { shrink(&least, of: kind, by: &excess) }
        return .columns(columns.indices.map { kept.contains($0) ? least[$0] : nil })
    }

    /// Takes from the widest column of a kind, as long as there is too much and one is wider than its least.
    private func shrink(_ widths: inout [Int], of kind: Column.Kind, by excess: inout Int) {
        while excess > 0 {
            let open = columns.indices.filter { columns[$0].kind == kind && widths[$0] > columns[$0].leastWidth }
            guard let widest = open.max(by: { widths[$0] < widths[$1] }) else { return }
            let next = open.filter { $0 != widest }.map { widths[$0] }.max() ?? 0
            let given = min(excess, max(1, widths[widest] - max(next, columns[widest].leastWidth)))
            widths[widest] -= given
            excess -= given
        }
    }

    private static let gap = 2

    private func line(_ cells: [Cell], _ widths: [Int?]) -> String {
        var line = ""
        let last = widths.lastIndex { $0 != nil }
        for (index, cell) in cells.enumerated() {
            guard let width = widths[index] else { continue }
            let isLast = index == last
            // Off a terminal, the last column is not truncated. A later part may hold longer figures than the first: they stay whole.
            let isWhole = (isLast && screen.width == nil) || !columns[index].mayBeCut
            let text = isWhole ? cell.text : DisplayWidth.truncate(cell.text, to: width)
            let padding = String(repeating: " ", count: max(0, width - DisplayWidth.of(text)))
            let styled = Style.apply(cell.style, to: text, on: screen)
            if columns[index].kind == .figure {
                line += padding + styled
            } else {
                line += isLast ? styled : styled + padding
            }
            if !isLast { line += String(repeating: " ", count: Self.gap) }
        }
        while line.last == " " { line.removeLast() }
        return line
    }

    // MARK: Blocks

    /// A row with a title before each value: short values side by side, free text on lines of its own.
    private func block(_ cells: [Cell]) -> [String] {
        let width = screen.width ?? 80
        var lines: [String] = []
        var used = 0
        for (column, cell) in zip(columns, cells) where !cell.text.isEmpty {
            let title = column.title.lowercased()
            let prefix = title.isEmpty ? "" : "\(title) "
            let indent = lines.isEmpty ? 0 : Self.gap
            let text = DisplayWidth.truncate(cell.text, to: max(1, width - Self.gap - DisplayWidth.of(prefix)))
            let shown = column.mayBeCut ? text : cell.text
            let needed = DisplayWidth.of(prefix) + DisplayWidth.of(shown)
            let styled = Style.apply(.dim, to: prefix, on: screen) + Style.apply(cell.style, to: shown, on: screen)
            if !lines.isEmpty, column.kind != .text, used + Self.gap + needed <= width {
                lines[lines.count - 1] += String(repeating: " ", count: Self.gap) + styled
                used += Self.gap + needed
            } else {
                lines.append(String(repeating: " ", count: indent) + styled)
                // Nothing stands beside free text.
                used = column.kind == .text ? width : indent + needed
            }
        }
        return lines
    }
}

/// One column of a table.
struct Column {
    /// What a column holds, which decides whether it may be cut on a narrow terminal.
    enum Kind {
        /// Right-aligned, never cut.
        case figure
        /// A state, an ID, a time: never cut.
        case fixed
        /// A name that somebody chose: cut where cutting free text is not enough.
        case name
        /// Free text: cut first.
        case text
    }

    let title: String
    let kind: Kind
    /// Minimum width on a narrow terminal.
    let leastWidth: Int

    var mayBeCut: Bool { kind == .name || kind == .text }

    init(_ title: String, _ kind: Kind, leastWidth: Int? = nil) {
        self.title = title
        self.kind = kind
        self.leastWidth = max(leastWidth ?? (kind == .text ? 12 : 8), title.count)
    }

    /// A column of figures or of names.
    init(_ title: String, isNumber: Bool = false, leastWidth: Int? = nil) {
        self.init(title, isNumber ? .figure : .name, leastWidth: leastWidth)
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
