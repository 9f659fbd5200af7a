import JobModel
import QueueStore

/// Queues and their jobs' counts as a table.
enum QueueTable {
    static func lines(_ queues: [QueueSummary]) -> [String] {
        var table = Table(
            [Column("QUEUE", leastWidth: 12)] + JobState.allCases.map { Column($0.rawValue.uppercased(), isNumber: true) } + [Column("")])
        for queue in queues {
            let counts = JobState.allCases.map { state in
                let count = queue.count(state)
                return Cell(Figures.count(count), count == 0 ? .dim : Style.of(state))
            }
            let pause = queue.pausedAt == nil ? Cell("") : Cell("paused", .warning)
            table.add([Cell(DisplayText.line(queue.name))] + counts + [pause])
        }
        return table.takeLines()
    }
}
