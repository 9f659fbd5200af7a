import AgentQueue
import ArgumentParser
import JobModel
import Settings

/// When something is due.
struct CronOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Minute, hour, day of month, month and day of week, or @daily and the like.",
            discussion: """
                Numbers, names (mon, jan), ranges (1-5), steps (*/15) and lists (1,15), in quotes. @hourly, @daily, @midnight, @weekly, \
                @monthly, @yearly and @annually stand for the usual ones.
                """, valueName: "cron"))
    var cron: String

    @Option(
        name: .customLong("time-zone"),
        help: ArgumentHelp("Whose clocks that goes by, such as Europe/Lisbon. Default: this machine's.", valueName: "zone"))
    var timeZone: String?

    /// The expression.
    /// - Throws: `CommandFailure`.
    func expression() throws -> CronExpression {
        do {
            return try CronExpression(cron)
        } catch {
            throw CommandFailure(.usage, error.description)
        }
    }

    /// The time zone.
    /// - Throws: `CommandFailure` where there is none of its name.
    func zone() throws -> SystemZone {
        guard let timeZone else {
            guard let machine = SystemZone.machine else {
                throw CommandFailure(.usage, "this machine's time zone has no name; give --time-zone")
            }
            return machine
        }
        guard let zone = SystemZone(timeZone) else {
            let hint = Suggestion.hint(for: timeZone, in: SystemZone.names)
            let help = hint.isEmpty ? " (write a name such as Europe/Lisbon, or UTC)" : hint
            throw CommandFailure(.usage, "unknown time zone \(InvalidText.quoted(timeZone))\(help)")
        }
        return zone
    }
}
