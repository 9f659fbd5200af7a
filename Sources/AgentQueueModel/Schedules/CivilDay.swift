/// A day of the calendar.
struct CivilDay: Equatable {
    var year: Int64
    /// From 1.
    var month: Int
    /// From 1.
    var day: Int
    /// 0 is Sunday.
    var weekday: Int

    /// The day of a number: days since 1970-01-01 (Howard Hinnant's `civil_from_days`).
    init(_ number: Int64) {
        let shifted = number + 719_468
        let era = Self.quotient(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        weekday = Int(number + 4 - Self.quotient(number + 4, 7) * 7)
    }

    /// Rounded down, which `/` is only for what is not negative.
    static func quotient(_ number: Int64, _ divisor: Int64) -> Int64 {
        number >= 0 ? number / divisor : -((divisor - 1 - number) / divisor)
    }
}

/// How far a time zone's clocks are ahead of UTC: all that this room needs to know of one.
package protocol ZoneOffsets: Sendable {
    /// Seconds ahead of UTC (behind it, where negative) at a time, seconds since 1970.
    func offset(at seconds: Int64) -> Int64
}

/// A zone's offsets a day before a time and a day after it. Two changes within two days are unheard of.
struct ZoneWindow {
    /// In seconds.
    let before: Int64
    /// In seconds.
    let later: Int64

    /// Looks at a zone.
    /// - Parameter seconds: since 1970, in UTC or as the zone's clocks show it: no offset is as long as a day.
    init(around seconds: Int64, in zone: some ZoneOffsets) {
        before = zone.offset(at: seconds - 86_400)
        later = zone.offset(at: seconds + 86_400)
    }

    /// The first second of the later offset.
    /// - Parameters:
    ///   - low: a time of the earlier offset.
    ///   - high: a time of the later one.
    func change(between low: Int64, and high: Int64, in zone: some ZoneOffsets) -> Int64 {
        var (low, high) = (low, high)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if zone.offset(at: middle) == before { low = middle } else { high = middle }
        }
        return high
    }
}
