/// When something is to be done again and again, in the five fields of cron: minute, hour, day of month, month, day of week.
///
/// As Vixie's cron reads them. Fields hold numbers, names (`jan`, `mon`), ranges, steps and lists; 0 and 7 are Sunday; `@hourly`,
/// `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually` stand for five fields. Where both kinds of day are
/// restricted (neither begins with `*`), a day that fits either will do; else it must fit both.
package struct CronExpression: Sendable, Equatable, CustomStringConvertible {
    /// As it was written, blanks around it left out.
    package let description: String
    /// Bits of the minutes, hours and so on that it means.
    let minutes, hours, days, months, weekdays: UInt64
    /// Whether a day that fits one of the two kinds will do.
    let eitherDay: Bool
    /// Whether it goes by the time that passes, not by what the clock on the wall shows: where the hour or the minute has a `*` or
    /// a step. Such a one makes up for no hour that the clocks skip, and fires through an hour that they repeat.
    package let followsRealTime: Bool

    /// The longest text, in bytes.
    static let maxBytes = 256

    /// Reads an expression.
    /// - Throws: `CronError`, which names the field that is wrong.
    package init(_ text: String) throws(CronError) {
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

extension CronExpression {
    /// How far ahead a time is looked for, in days: five years and a bit.
    static let horizon: Int64 = 5 * 366
    /// A gap in a zone's clocks that is longer is no change to daylight saving, but a country's leap to another side of the date line:
    /// its hours are not made up for. As in Vixie's cron; in seconds.
    static let longestGap: Int64 = 3 * 3_600

    /// The next time that it means.
    ///
    /// Where the clocks of the zone skip an hour, a fixed time in it comes right after the gap; where they repeat one, a fixed time in it
    /// comes once. An expression with a `*` or a step in its hour or minute follows the time that really passes.
    /// - Parameters:
    ///   - time: wall clock, ms since 1970; what is returned is later.
    ///   - zone: whose clocks the fields go by.
    /// - Returns: wall clock, ms, of a whole minute; nil where no time fits within five years.
    package func next(after time: Int64, in zone: some ZoneOffsets) -> Int64? {
        let after = time.flooredQuotient(1_000)
        let around = ZoneWindow(around: after, in: zone)
        var minute = (after + min(around.before, around.later)).flooredQuotient(60)
        let lastDay = minute.flooredQuotient(1_440) + Self.horizon
        var best: Int64?
        // A later reading of the clock may be an earlier time, where the clocks were turned back between the two.
        while let reading = firstReading(from: minute, through: lastDay) {
            let window = ZoneWindow(around: reading * 60, in: zone)
            if let best, reading * 60 - max(window.before, window.later) >= best { break }
            for candidate in times(of: reading * 60, window, in: zone) where candidate > after {
                best = min(best ?? candidate, candidate)
            }
            minute = reading + 1
        }
        return best.map { $0 * 1_000 }
    }

    /// The times at which a clock that shows what fits makes it fire: seconds since 1970, earliest first.
    /// - Parameter reading: what the clock shows, as seconds since its own 1970.
    private func times(of reading: Int64, _ window: ZoneWindow, in zone: some ZoneOffsets) -> [Int64] {
        guard window.before != window.later else { return [reading - window.before] }
        let real = [window.before, window.later].filter { zone.offset(at: reading - $0) == $0 }.map { reading - $0 }.sorted()
        if followsRealTime { return real }
        if let first = real.first { return [first] }
        // The clocks skip it.
        guard window.later - window.before <= Self.longestGap else { return [] }
        return [window.change(between: reading - window.later, and: reading - window.before, in: zone)]
    }

    /// The first reading of a clock from a minute on that fits; minutes since the clock's own 1970.
    private func firstReading(from minute: Int64, through lastDay: Int64) -> Int64? {
        var day = minute.flooredQuotient(1_440)
        var start = Int(minute - day * 1_440)
        while day <= lastDay {
            if fits(CivilDay(day)), let minute = firstMinute(from: start) { return day * 1_440 + Int64(minute) }
            day += 1
            start = 0
        }
        return nil
    }

    func fits(_ day: CivilDay) -> Bool {
        guard months & 1 << UInt64(day.month) != 0 else { return false }
        let fitsMonth = days & 1 << UInt64(day.day) != 0
        let fitsWeek = weekdays & 1 << UInt64(day.weekday) != 0
        return eitherDay ? fitsMonth || fitsWeek : fitsMonth && fitsWeek
    }

    /// The first minute of a day, from one on, that fits.
    private func firstMinute(from start: Int) -> Int? {
        for hour in start / 60..<24 where hours & 1 << UInt64(hour) != 0 {
            let rest = minutes >> UInt64(hour == start / 60 ? start % 60 : 0)
            if rest != 0 { return hour * 60 + rest.trailingZeroBitCount + (hour == start / 60 ? start % 60 : 0) }
        }
        return nil
    }
}

/// Why a text is not a cron expression.
package struct CronError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The field that is wrong, such as `hour`; nil where it is the whole.
    package let field: String?
    /// What is wrong, in a clause.
    package let problem: String

    init(_ problem: String, in field: CronField? = nil) {
        self.problem = problem
        self.field = field?.name
    }

    /// The message, as users see it.
    package var description: String { field.map { "\($0): \(problem)" } ?? problem }
}
