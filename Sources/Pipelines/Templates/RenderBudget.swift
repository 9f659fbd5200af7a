import JobModel

/// What writing out a template may still take. Values that are repeated in sections would make a text of any length.
final class RenderBudget {
    private var bytes: Int
    private var repeated: Int
    /// What one time through a section may add at most, besides values.
    private let sectionBytes: Int
    /// Whether more was asked for than there is.
    private(set) var isSpent = false

    /// - Parameters:
    ///   - bytes: that values may have together.
    ///   - sectionBytes: the bytes of the template.
    init(bytes: Int, sectionBytes: Int) {
        self.bytes = bytes
        self.sectionBytes = sectionBytes
        repeated = 16 * bytes
    }

    /// Takes a value's bytes; false where they are too many.
    func take(_ count: Int) -> Bool {
        bytes -= count
        if bytes < 0 { isSpent = true }
        return !isSpent
    }

    /// Takes one time through a section; false where that is too often.
    func takeRound() -> Bool {
        repeated -= sectionBytes
        if repeated < 0 { isSpent = true }
        return !isSpent
    }
}
