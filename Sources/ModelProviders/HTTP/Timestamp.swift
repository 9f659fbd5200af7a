/// Points in time as servers write them.
enum Timestamp {
    /// Reads RFC 3339, such as `2026-11-22T08:00:00Z` or `2026-11-22T09:00:00.25+01:00`; wall clock, ms.
    static func rfc3339(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard (20...64).contains(bytes.count), bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            "Tt ".utf8.contains(bytes[10]), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19])
        else { return nil }
        var rest = bytes[19...]
        var fraction: Int64 = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard let thousandths = number((Array(digits) + Array("00".utf8)).prefix(3)) else { return nil }
            fraction = thousandths
            rest = rest.dropFirst(1 + digits.count)
        }
        guard let offset = offset(rest),
            let whole = milliseconds(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        return whole + fraction - offset
    }

    /// Wall clock, ms, of a date and time in UTC; nil where there is none, or it is before 1970.
    static func milliseconds(year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64) -> Int64? {
        guard (1_970...9_999).contains(year), (1...12).contains(month), (1...31).contains(day), (0..<24).contains(hour),
            (0..<60).contains(minute), (0...60).contains(second)
        else { return nil }
        // Days since 1970, the year taken to begin in March.
        let shiftedYear = year - (month <= 2 ? 1 : 0)
        let shiftedMonth = month + (month > 2 ? -3 : 9)
        let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
        let days = 365 * shiftedYear + shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400 + dayOfYear - 719_468
        return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000
    }

    /// `Z`, or `+01:00`; in ms.
    private static func offset(_ text: ArraySlice<UInt8>) -> Int64? {
        let bytes = Array(text)
        if bytes.count == 1, "Zz".utf8.contains(bytes[0]) { return 0 }
        guard bytes.count == 6, "+-".utf8.contains(bytes[0]), bytes[3] == UInt8(ascii: ":"), let hours = number(bytes[1..<3]),
            let minutes = number(bytes[4..<6]), hours < 24, minutes < 60
        else { return nil }
        let offset = (hours * 60 + minutes) * 60_000
        return bytes[0] == UInt8(ascii: "-") ? -offset : offset
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
