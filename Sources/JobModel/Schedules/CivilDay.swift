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
