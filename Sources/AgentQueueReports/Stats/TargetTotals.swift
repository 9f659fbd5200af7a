import AgentQueueModel
import AgentQueueStore

/// What the lanes of one target come to, whatever their queues.
package struct TargetTotals {
    package let target: String
    private let lanes: [LaneSummary]

    /// One for each target, by name.
    package static func of(_ lanes: [LaneSummary]) -> [TargetTotals] {
        Dictionary(grouping: lanes, by: \.target).sorted { $0.key < $1.key }.map { TargetTotals(target: $0.key, lanes: $0.value) }
    }

    package func count(_ state: JobState) -> Int { lanes.reduce(0) { $0 + $1.count(state) } }

    /// Answers paid for.
    package var calls: Int { lanes.reduce(0) { $0 + $1.calls } }
    package var cost: Double { lanes.reduce(0) { $0 + $1.cost } }
    package var cacheAnswers: Int { lanes.reduce(0) { $0 + $1.cacheAnswers } }
    package var saved: Double { lanes.reduce(0) { $0 + $1.saved } }
    package var usage: Usage { lanes.reduce(Usage()) { $0 + $1.usage } }
}
