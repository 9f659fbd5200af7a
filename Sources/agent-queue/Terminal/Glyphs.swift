import Glibc

/// Signs that stand for states, in the characters that the terminal can show.
struct Glyphs {
    let completed: String
    let failed: String
    let running: String
    let waiting: String
    let skipped: String

    private init(_ signs: [String]) {
        (completed, failed, running, waiting, skipped) = (signs[0], signs[1], signs[2], signs[3], signs[4])
    }

    static let unicode = Glyphs(["✓", "✗", "●", "○", "–"])
    static let ascii = Glyphs(["+", "x", "*", "o", "-"])

    /// Those of the locale that the program was started in.
    static let own = isUTF8(variable: { name in getenv(name).map { String(cString: $0) } }) ? unicode : ascii

    /// Whether the locale's characters are UTF-8, by the order in which its variables count.
    static func isUTF8(variable: (String) -> String?) -> Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(variable).first { !$0.isEmpty } ?? ""
        let name = locale.uppercased()
        return name.contains("UTF-8") || name.contains("UTF8")
    }
}
