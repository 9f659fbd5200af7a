import JobModel

/// How a run of `agent-queue` ended.
struct Ending: Sendable {
    let status: Int32
    let output: String
    let error: String

    /// The lines of standard output.
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    /// Standard output as JSON, a value a line.
    var json: [JSONValue] {
        get throws { try lines.map { try JSONValue.parse($0) } }
    }

    /// Standard error, which is one sentence of ours: what comes after the program's name.
    var sentence: String? {
        let lines = error.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 2, lines[1].isEmpty, lines[0].hasPrefix("agent-queue: ") else { return nil }
        return String(lines[0].dropFirst("agent-queue: ".count))
    }
}
