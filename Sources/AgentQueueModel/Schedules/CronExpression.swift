/// A recurring time in the five fields of cron: minute, hour, day of month, month, day of week.
///
/// It is read as Vixie's cron reads it. Fields hold numbers, names (`jan`, `mon`), ranges, steps and lists; 0 and 7 are Sunday; `@hourly`,
/// `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually` stand for five fields. If both kinds of day are restricted
/// (neither begins with `*`), a day that matches either is enough; otherwise it must match both.
package struct CronExpression: Sendable, Equatable, CustomStringConvertible {
    /// The expression as written, with blanks normalised.
    package let description: String
    /// A bit for each matching minute, hour and so on.
    let minutes, hours, days, months, weekdays: UInt64
    /// Whether a day that matches one of the two kinds is enough.
    let eitherDay: Bool
    /// Whether the expression follows elapsed time rather than the clock on the wall, because the hour or the minute has a `*` or a step.
    /// Such an expression does not make up for an hour that the clocks skip, and fires throughout an hour that they repeat.
    package let followsRealTime: Bool

    /// The longest expression accepted, in bytes.
    static let maxBytes = 256

    /// Parses an expression.
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
            throw CronError("\(InvalidText.quoted(words.joined(separator: " "))) is not one of \(known)")
        }
        return fields.split(separator: " ")
    }

    private static let shortcuts = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]
}

extension CronExpression {
    /// How far ahead a time is searched for, in days: a little over five years.
    static let horizon: Int64 = 5 * 366
    /// A longer gap in a zone's clocks, in seconds, is not a change to daylight saving time but a country moving across the date line; its
    /// hours are not made up for. The same bound as in Vixie's cron.
    static let longestGap: Int64 = 3 * 3_600

    /// The next time that matches.
    ///
    /// If the zone's clocks skip an hour, a fixed time within it fires right after the gap; if they repeat an hour, a fixed time within it
    /// fires once. An expression with a `*` or a step in its hour or minute follows elapsed time.
    /// - Parameters:
    ///   - time: wall clock, ms since 1970; the result is later.
    ///   - zone: whose clocks the fields refer to.
    /// - Returns: wall clock, ms, at a whole minute; nil if no time within five years matches.
    package func next(after time: Int64, in zone: some ZoneOffsets) -> Int64? {
        let after = time.flooredQuotient(1_000)
        let around = ZoneWindow(around: after, in: zone)
        var minute = (after + min(around.before, around.later)).flooredQuotient(60)
        let lastDay = minute.flooredQuotient(1_440) + Self.horizon
        var best: Int64?
        // If the clocks were turned back in between, a later reading of the clock can be an earlier time.
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

    /// The times at which a clock with this matching reading fires: seconds since 1970, earliest first.
    /// - Parameter reading: what the clock shows, as seconds since its own 1970.
    private func times(of reading: Int64, _ window: ZoneWindow, in zone: some ZoneOffsets) -> [Int64] {
        guard window.before != window.later else { return [reading - window.before] }
        let real = [window.before, window.later].filter { zone.offset(at: reading - $0) == $0 }.map { reading - $0 }.sorted()
        if followsRealTime { return real }
        if let first = real.first { return [first] }
        // The clocks skip this reading.
        guard window.later - window.before <= Self.longestGap else { return [] }
        return [window.change(between: reading - window.later, and: reading - window.before, in: zone)]
    }

    /// The first matching reading of a clock from a given minute on, in minutes since the clock's own 1970.
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

    /// The first matching minute of a day from a given one on.
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
    /// The field that is wrong, such as `hour`; nil if the problem is the expression as a whole.
    package let field: String?
    /// What is wrong, as a clause.
    package let problem: String

    init(_ problem: String, in field: CronField? = nil) {
        self.problem = problem
        self.field = field?.name
    }

    /// The message, as shown to users.
    package var description: String { field.map { "\($0): \(problem)" } ?? problem }
}
