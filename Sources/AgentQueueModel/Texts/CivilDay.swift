/// A day of the proleptic Gregorian calendar. Times are those of `TimeText`.
///
/// Howard Hinnant's algorithms: years begin in March, so that the leap day comes last, and are grouped into eras of 400 years.
struct CivilDay: Equatable {
    var year: Int64
    /// From 1.
    var month: Int
    /// From 1.
    var day: Int
    /// 0 is Sunday.
    var weekday: Int

    /// - Parameter number: days since 1970-01-01.
    init(_ number: Int64) {
        let shifted = number + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
        month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        weekday = Int(number + 4 - (number + 4).flooredQuotient(7) * 7)
    }

    /// Days since 1970-01-01; nil if there is no such day.
    static func number(year: Int64, month: Int64, day: Int64) -> Int64? {
        guard (1...12).contains(month), (1...length(ofMonth: month, in: year)).contains(day) else { return nil }
        let marchYear = month <= 2 ? year - 1 : year
        let era = marchYear.flooredQuotient(400)
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func length(ofMonth month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int64 {
    /// Division that rounds down, for times before 1970. `divisor` must be positive.
    package func flooredQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}
