/// A table for people: columns as wide as their text, cut where the terminal ends.
struct Table {
    private let columns: [Column]
    private var rows: [[Cell]] = []
    /// The widths of an earlier part of the same table, which later parts keep.
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

    /// The lines of everything added since the last call; the first time with the titles.
    ///
    /// A long table is printed in parts, so that its size does not matter: the first part decides the widths.
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
            // The last column of what is no terminal is left whole: nobody's line ends there.
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
