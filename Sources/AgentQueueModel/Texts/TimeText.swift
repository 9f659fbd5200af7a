import Glibc

/// Points in time as RFC 3339 text: reads `2026-12-01T09:00Z`, writes `2026-12-01T09:00:00.000Z`. Times are milliseconds since 1970 in
/// UTC.
///
/// Plain arithmetic on the proleptic Gregorian calendar, without a formatter, locale or time zone database.
package enum TimeText {
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// Parses an RFC 3339 time.
    /// - Parameter text: date, `T` or a space, hours and minutes, optionally seconds and a fraction (truncated to milliseconds), then `Z`
    ///   or an offset such as `+02:00`. Years 0000 to 9999; times before 1970 are negative. A leap second counts as the second after it.
    /// - Returns: milliseconds since 1970-01-01T00:00:00Z.
    /// - Throws: `InvalidText` for anything else, including a day that does not exist and a missing offset.
    package static func parseRFC3339(_ text: String) throws(InvalidText) -> Int64 {
        var cursor = TimeCursor(text)
        guard let year = cursor.digits(4), cursor.skip("-"), let month = cursor.digits(2), cursor.skip("-"), let day = cursor.digits(2),
            cursor.skip("T") || cursor.skip("t") || cursor.skip(" "),
            let hour = cursor.digits(2), cursor.skip(":"), let minute = cursor.digits(2)
        else { throw malformed(text) }

        var second: Int64 = 0
        var millisecond: Int64 = 0
        if cursor.skip(":") {
            guard let whole = cursor.digits(2) else { throw malformed(text) }
            second = whole
            if cursor.skip(".") {
                guard let fraction = cursor.milliseconds() else { throw malformed(text) }
                millisecond = fraction
            }
        }
        guard !cursor.isAtEnd else {
            throw InvalidText("\(InvalidText.quoted(text)) has no time zone (end it with Z, or an offset such as +02:00)")
        }
        guard let offset = cursor.offsetMinutes(), cursor.isAtEnd else { throw malformed(text) }
        guard let time = milliseconds(year: year, month: month, day: day, hour: hour, minute: minute, second: second) else {
            throw InvalidText("\(InvalidText.quoted(text)) is not a time that exists")
        }
        return time - offset * 60_000 + millisecond
    }

    /// Formats a time in UTC with milliseconds: `2026-12-01T09:00:00.000Z`.
    /// - Parameter milliseconds: since 1970; negative is before. Any value is safe, but outside the years 0000 to 9999 the result is
    ///   longer and not valid RFC 3339.
    package static func format(_ milliseconds: Int64) -> String {
        let day = milliseconds.flooredQuotient(millisecondsPerDay)
        let remainder = milliseconds % millisecondsPerDay
        let clock = remainder < 0 ? remainder + millisecondsPerDay : remainder
        let date = CivilDay(day)
        guard (0...9999).contains(date.year) else {
            let rest = format(clock).dropFirst("1970-01-01".count)
            return "\(date.year)-\(padded(date.month))-\(padded(date.day))\(rest)"
        }
        return String(unsafeUninitializedCapacity: 24) { buffer in
            func put(_ value: Int64, at index: Int, width: Int, then mark: Unicode.Scalar) {
                var value = value
                for position in stride(from: index + width - 1, through: index, by: -1) {
                    buffer[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10)
                    value /= 10
                }
                buffer[index + width] = UInt8(ascii: mark)
            }
            put(date.year, at: 0, width: 4, then: "-")
            put(Int64(date.month), at: 5, width: 2, then: "-")
            put(Int64(date.day), at: 8, width: 2, then: "T")
            put(clock / 3_600_000, at: 11, width: 2, then: ":")
            put(clock / 60_000 % 60, at: 14, width: 2, then: ":")
            put(clock / 1000 % 60, at: 17, width: 2, then: ".")
            put(clock % 1000, at: 20, width: 3, then: "Z")
            return 24
        }
    }

    /// The milliseconds since 1970 of a date and time in UTC; nil if it does not exist. A leap second counts as the second after it.
    package static func milliseconds(
        year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64
    ) -> Int64? {
        guard let number = CivilDay.number(year: year, month: month, day: day), (0...23).contains(hour), (0...59).contains(minute),
            (0...60).contains(second)
        else { return nil }
        return (((number * 24 + hour) * 60 + minute) * 60 + second) * 1_000
    }

    private static func malformed(_ text: String) -> InvalidText {
        InvalidText("\(InvalidText.quoted(text)) is not a time (write 2026-12-01T09:00Z or 2026-12-01T09:00:00+02:00)")
    }

    private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

/// Reads the parts of an RFC 3339 time from front to back. A read that does not match consumes nothing.
struct TimeCursor {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = Substring(text).utf8.trimmingSpaces()
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ mark: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: mark) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// Exactly `count` digits as a number.
    mutating func digits(_ count: Int) -> Int64? {
        var view = rest
        var value: Int64 = 0
        for _ in 0..<count {
            guard let digit = view.first.flatMap(Self.digit) else { return nil }
            value = value * 10 + digit
            view = view.dropFirst()
        }
        rest = view
        return value
    }

    /// One or more digits as a fraction of a second, truncated to milliseconds.
    mutating func milliseconds() -> Int64? {
        var value: Int64 = 0
        var weight: Int64 = 100
        var taken = 0
        while let digit = rest.first.flatMap(Self.digit) {
            value += digit * weight
            weight /= 10
            taken += 1
            rest = rest.dropFirst()
        }
        return taken > 0 ? value : nil
    }

    /// `Z`, or hours and minutes east of UTC, in minutes.
    mutating func offsetMinutes() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64
        if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
        guard let hours = digits(2), skip(":"), let minutes = digits(2), hours <= 23, minutes <= 59 else { return nil }
        return sign * (hours * 60 + minutes)
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int64(byte - UInt8(ascii: "0")) : nil
    }
}

package enum WallClock {
    /// Milliseconds since 1970.
    package static let milliseconds: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
