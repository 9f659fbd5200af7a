import AgentQueue
import ArgumentParser
import JobModel

/// `agent-queue schedule next`
struct ScheduleNextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "next",
        abstract: "Print the next times of a cron expression.",
        discussion: """
              agent-queue schedule next '30 2 * * sun' --time-zone Europe/Lisbon --count 10
            """)

    @OptionGroup var when: CronOptions

    @Option(name: .long, parsing: .unconditional, help: ArgumentHelp("How many, 1 to 1000. Default: 5.", valueName: "n"))
    var count = 5

    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard (1...1_000).contains(count) else { throw ValidationError("--count must be 1 to 1000, not \(count)") }
    }

    func run() throws {
        let (cron, zone) = (try when.expression(), try when.zone())
        var output = Output()
        var time = Now.milliseconds
        for index in 0..<count {
            guard let next = cron.next(after: time, in: zone) else {
                guard index > 0 else { throw CommandFailure(.usage, "no time fits this expression within five years") }
                break
            }
            try format.json
                ? output.json(.object([.init("at", JobJSON.time(next)), .init("local", .string(zone.text(next)))]))
                : output.line("\(zone.text(next)) \(zone.name)")
            time = next
        }
        try output.flush()
    }
}
