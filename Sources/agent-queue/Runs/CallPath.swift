/// The place of a call in its run, taken apart: `refine/2/review[1]~0` is call `[1]~0` of step `refine/2/review`.
struct CallPath {
    /// The step, with the groups and rounds it is in.
    let step: String
    /// What tells the call from others of its step; empty for the only one.
    let suffix: String
    /// The groups it is in, from the outermost, each with its round.
    let rounds: [(group: String, round: Int)]

    init(_ path: String) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let last = parts.popLast() ?? ""
        let name = last.prefix { $0 != "[" && $0 != "~" }
        suffix = String(last.dropFirst(name.count))
        var rounds: [(group: String, round: Int)] = []
        var prefix = ""
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            let group = prefix + parts[index]
            rounds.append((group, Int(parts[index + 1]) ?? 0))
            prefix = "\(group)/\(parts[index + 1])/"
        }
        self.rounds = rounds
        step = prefix + name
    }
}
