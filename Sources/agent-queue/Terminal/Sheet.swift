/// Names and values below each other, for one thing in detail.
struct Sheet {
    private var rows: [(name: String, value: Cell)] = []
    private let screen: Screen

    init(screen: Screen = .output) {
        self.screen = screen
    }

    /// Adds a line; nothing for nil.
    mutating func add(_ name: String, _ value: String?, _ style: Style? = nil) {
        guard let value else { return }
        rows.append((name, Cell(value, style)))
    }

    /// The lines, values aligned.
    var lines: [String] {
        let width = rows.map { DisplayWidth.of($0.name) }.max() ?? 0
        return rows.map { row in
            let padding = String(repeating: " ", count: width - DisplayWidth.of(row.name))
            return
                "\(Style.apply(.dim, to: row.name, on: screen))\(padding)  \(Style.apply(row.value.style, to: row.value.text, on: screen))"
        }
    }
}
