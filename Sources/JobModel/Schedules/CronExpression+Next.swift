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
    public func next(after time: Int64, in zone: some ZoneOffsets) -> Int64? {
        let after = CivilDay.quotient(time, 1_000)
        let around = ZoneWindow(around: after, in: zone)
        var minute = CivilDay.quotient(after + min(around.before, around.later), 60)
        let lastDay = CivilDay.quotient(minute, 1_440) + Self.horizon
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
        var day = CivilDay.quotient(minute, 1_440)
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
