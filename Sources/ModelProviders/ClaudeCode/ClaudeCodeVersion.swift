/// A version of the program, such as 2.1.330.
struct ClaudeCodeVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    let numbers: [Int]

    /// The first that can be told that a text was composed by a program, so that nothing in it is expanded: safe for prompts of
    /// anybody's, and fit to be kept running.
    static let composes = ClaudeCodeVersion(2, 1, 248)

    init(_ numbers: Int...) {
        self.numbers = numbers
    }

    /// Reads what `--version` prints: `2.1.330 (Claude Code)`; nil where that does not begin with three numbers.
    init?(_ text: String) {
        let word = text.prefix { !$0.isWhitespace }.prefix { $0 != "-" && $0 != "+" }
        let numbers = word.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else { return nil }
        self.init(major, minor, patch)
    }

    static func < (one: ClaudeCodeVersion, other: ClaudeCodeVersion) -> Bool { one.numbers.lexicographicallyPrecedes(other.numbers) }

    var description: String { numbers.map(String.init).joined(separator: ".") }
}
