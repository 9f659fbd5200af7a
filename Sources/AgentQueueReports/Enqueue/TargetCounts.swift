import AgentQueueModel

/// How many jobs go to which target.
package struct TargetCounts: Sendable, Equatable {
    private var counts: [Target: Int] = [:]
    /// All jobs.
    package private(set) var jobs = 0
    /// Jobs of targets beyond the first ``maxTargets``, so that a file with a target a line takes no memory.
    private var others = 0

    private static let maxTargets = 10_000
    /// The most targets that a sentence names.
    private static let shown = 5

    package init() {}

    package mutating func add(_ target: Target) {
        jobs += 1
        if let count = counts[target] {
            counts[target] = count + 1
        } else if counts.count < Self.maxTargets {
            counts[target] = 1
        } else {
            others += 1
        }
    }

    /// The number of targets.
    package var count: Int { counts.count + (others > 0 ? 1 : 0) }

    /// The providers of the targets, by name.
    package var providers: [String] { Set(counts.keys.map(\.provider)).sorted() }

    /// `3,000 to openai/gpt-5, 1,000 to anthropic/claude-sonnet-4-5`: the largest first.
    package var list: String {
        let sorted = counts.sorted { ($0.value, $1.key.description) > ($1.value, $0.key.description) }
        var parts = sorted.prefix(Self.shown).map { "\(Figures.count($0.value)) to \($0.key)" }
        let rest = sorted.dropFirst(Self.shown).reduce(others) { $0 + $1.value }
        if rest > 0 { parts.append("\(Figures.count(rest)) to other models") }
        return parts.joined(separator: ", ")
    }

    /// `4,000 jobs added: 3,000 to openai/gpt-5, …`.
    package var summary: String {
        let added = "\(Figures.count(jobs, "job")) added"
        guard let only = counts.first?.key, count == 1 else { return jobs == 0 ? added : "\(added): \(list)" }
        return "\(added) to \(only)"
    }

    /// The counts by target, for JSON.
    package var json: JSONValue {
        .object(counts.sorted { $0.key.description < $1.key.description }.map { .init($0.key.description, .integer(Int64($0.value))) })
    }
}
