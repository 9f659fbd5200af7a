import JobModel
import QueueStore

/// What the lanes of one target come to, whatever their queues.
struct TargetTotals {
    let target: String
    private let lanes: [LaneSummary]

    /// One for each target, by name.
    static func of(_ lanes: [LaneSummary]) -> [TargetTotals] {
        Dictionary(grouping: lanes, by: \.target).sorted { $0.key < $1.key }.map { TargetTotals(target: $0.key, lanes: $0.value) }
    }

    func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }

    /// Answers paid for.
    var calls: Int { lanes.reduce(0) { $0 + $1.calls } }
    var cost: Double { lanes.reduce(0) { $0 + $1.cost } }
    var cacheAnswers: Int { lanes.reduce(0) { $0 + $1.cacheAnswers } }
    var saved: Double { lanes.reduce(0) { $0 + $1.saved } }
    var usage: Usage { lanes.reduce(Usage()) { $0 + $1.usage } }
}
