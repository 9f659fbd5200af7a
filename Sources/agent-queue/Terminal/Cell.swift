/// One field of a table, already fit for a terminal.
struct Cell: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
    let text: String
    let style: Style?

    init(_ text: String, _ style: Style? = nil) {
        self.text = text
        self.style = style
    }

    init(stringLiteral value: String) {
        self.init(value)
    }
}
