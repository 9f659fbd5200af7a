/// One column of a table.
struct Column {
    let title: String
    /// Numbers stand at the right.
    let isNumber: Bool
    /// How narrow it may become where the terminal is; columns give way from the last to the first.
    let leastWidth: Int

    init(_ title: String, isNumber: Bool = false, leastWidth: Int? = nil) {
        self.title = title
        self.isNumber = isNumber
        self.leastWidth = leastWidth ?? (isNumber ? .max : max(title.count, 8))
    }
}
