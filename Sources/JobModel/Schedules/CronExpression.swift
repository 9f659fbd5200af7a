/// When something is to be done again and again, in the five fields of cron: minute, hour, day of month, month, day of week.
///
/// As Vixie's cron reads them. Fields hold numbers, names (`jan`, `mon`), ranges, steps and lists; 0 and 7 are Sunday; `@hourly`,
/// `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually` stand for five fields. Where both kinds of day are
/// restricted (neither begins with `*`), a day that fits either will do; else it must fit both.
public struct CronExpression: Sendable, Equatable, CustomStringConvertible {
    /// As it was written, blanks around it left out.
    public let description: String
    /// Bits of the minutes, hours and so on that it means.
    let minutes, hours, days, months, weekdays: UInt64
    /// Whether a day that fits one of the two kinds will do.
    let eitherDay: Bool
    /// Whether it goes by the time that passes, not by what the clock on the wall shows: where the hour or the minute has a `*` or
    /// a step. Such a one makes up for no hour that the clocks skip, and fires through an hour that they repeat.
    public let followsRealTime: Bool

    /// The longest text, in bytes.
    static let maxBytes = 256

    /// Reads an expression.
    /// - Throws: `CronError`, which names the field that is wrong.
    public init(_ text: String) throws(CronError) {
        guard text.utf8.count <= Self.maxBytes else { throw CronError("a cron expression has at most \(Self.maxBytes) bytes") }
        let words = text.split { $0 == " " || $0 == "\t" }
        description = words.joined(separator: " ")
        let fields = try Self.fields(words)
        minutes = try CronField.minute.bits(fields[0])
        hours = try CronField.hour.bits(fields[1])
        days = try CronField.dayOfMonth.bits(fields[2])
        months = try CronField.month.bits(fields[3])
        weekdays = try CronField.dayOfWeek.bits(fields[4])
        eitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
        followsRealTime = fields[0...1].contains { $0.contains("*") || $0.contains("/") }
    }

    private static func fields(_ words: [Substring]) throws(CronError) -> [Substring] {
        guard let first = words.first else { throw CronError("a cron expression is empty (such as '0 7 * * mon-fri')") }
        guard first.hasPrefix("@") else {
            guard words.count == CronField.allCases.count else {
                throw CronError(
                    "a cron expression has five fields (minute, hour, day of month, month, day of week), not \(words.count)")
            }
            return words
        }
        guard words.count == 1, let fields = shortcuts[first.lowercased()] else {
            let known = shortcuts.keys.sorted().joined(separator: ", ")
            throw CronError("\(CronField.shown(words.joined(separator: " ")[...])) is not one of \(known)")
        }
        return fields.split(separator: " ")
    }

    private static let shortcuts = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]
}
