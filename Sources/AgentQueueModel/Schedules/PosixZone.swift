/// A time zone written as a rule, as POSIX defines it for `TZ`: `EST5EDT`, `CET-1CEST,M3.5.0,M10.5.0/3`, `<+03>-3`. It holds for every year
/// alike.
package struct PosixZone: ZoneOffsets, Equatable {
    /// A day and time of a year at which clocks are changed.
    private struct Change: Equatable {
        enum Day: Equatable {
            /// From 1 to 365, without leap days.
            case julian(Int64)
            /// From 0 to 365.
            case ofYear(Int64)
            case weekday(Int64, week: Int64, month: Int64)
        }

        var day: Day
        /// Seconds after midnight; may be negative, or more than a day.
        var time: Int64 = 7_200

        /// In seconds since 1970, as the clocks of the zone show it before the change.
        func seconds(in year: Int64) -> Int64 {
            let first = CivilDay.number(year: year, month: 1, day: 1) ?? 0
            switch day {
            case .julian(let number):
                let isLeap = CivilDay.number(year: year, month: 2, day: 29) != nil
                return (first + number - 1 + (isLeap && number > 59 ? 1 : 0)) * 86_400 + time
            case .ofYear(let number): return (first + number) * 86_400 + time
            case .weekday(let weekday, let week, let month):
                let start = CivilDay.number(year: year, month: month, day: 1) ?? first
                var day = start + (weekday - Int64(CivilDay(start).weekday) + 7) % 7 + (week - 1) * 7
                // The fifth is the last, which may be the fourth.
                if week == 5, Int64(CivilDay(day).month) != month { day -= 7 }
                return day * 86_400 + time
            }
        }
    }

    /// Seconds ahead of UTC.
    private var standard: Int64 = 0
    /// Summer time: seconds ahead of UTC, and when it begins and ends; nil for a zone without.
    private var summer: (offset: Int64, start: Change, end: Change)?

    /// Reads a rule; nil if the text is not one.
    package init?(_ text: String) {
        var reader = Reader(text: Array(text.utf8)[...])
        guard reader.name(), let west = reader.offset(within: 24) else { return nil }
        standard = -west
        guard !reader.text.isEmpty else { return }
        guard reader.name() else { return nil }
        var offset = standard + 3_600
        if reader.text.first != nil, reader.text.first != UInt8(ascii: ",") {
            guard let west = reader.offset(within: 24) else { return nil }
            offset = -west
        }
        guard !reader.text.isEmpty else {
            // A zone that says no dates has those of the United States.
            summer = (offset, Change(day: .weekday(0, week: 2, month: 3)), Change(day: .weekday(0, week: 1, month: 11)))
            return
        }
        guard let start = reader.change(), let end = reader.change(), reader.text.isEmpty else { return nil }
        summer = (offset, start, end)
    }

    package func offset(at seconds: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = CivilDay((seconds + standard).flooredQuotient(86_400)).year
        let start = summer.start.seconds(in: year) - standard
        let end = summer.end.seconds(in: year) - summer.offset
        // South of the equator, summer goes on over the end of the year.
        let isSummer = start < end ? start <= seconds && seconds < end : seconds < end || start <= seconds
        return isSummer ? summer.offset : standard
    }

    package static func == (one: PosixZone, other: PosixZone) -> Bool {
        one.standard == other.standard && one.summer?.offset == other.summer?.offset && one.summer?.start == other.summer?.start
            && one.summer?.end == other.summer?.end
    }

    /// Reads the parts of a rule from left to right.
    private struct Reader {
        var text: ArraySlice<UInt8>

        /// An abbreviation: three or more letters, or letters, digits and signs in angle brackets.
        mutating func name() -> Bool {
            if text.first == UInt8(ascii: "<") {
                guard let end = text.firstIndex(of: UInt8(ascii: ">")) else { return false }
                let name = text[text.startIndex + 1..<end]
                text = text[(end + 1)...]
                return name.count >= 3 && name.allSatisfy { Self.isLetter($0) || Self.isDigit($0) || $0 == 0x2B || $0 == 0x2D }
            }
            let name = text.prefix(while: Self.isLetter)
            text = text.dropFirst(name.count)
            return name.count >= 3
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func offset(within hours: Int64) -> Int64? {
            let sign: Int64 = text.first == UInt8(ascii: "-") ? -1 : 1
            if text.first == UInt8(ascii: "-") || text.first == UInt8(ascii: "+") { text = text.dropFirst() }
            guard let hour = number(), hour <= hours else { return nil }
            var seconds = hour * 3_600
            for unit in [60, 1] as [Int64] {
                guard text.first == UInt8(ascii: ":") else { break }
                text = text.dropFirst()
                guard let part = number(), part < 60 else { return nil }
                seconds += part * unit
            }
            return sign * seconds
        }

        /// `,Mm.w.d`, `,Jn` or `,n`, with `/time` behind it where it is not two o'clock.
        mutating func change() -> Change? {
            guard take(",") else { return nil }
            var change: Change
            if take("M") {
                guard let month = number(), (1...12).contains(month), take("."), let week = number(), (1...5).contains(week), take("."),
                    let weekday = number(), weekday <= 6
                else { return nil }
                change = Change(day: .weekday(weekday, week: week, month: month))
            } else if take("J") {
                guard let day = number(), (1...365).contains(day) else { return nil }
                change = Change(day: .julian(day))
            } else {
                guard let day = number(), day <= 365 else { return nil }
                change = Change(day: .ofYear(day))
            }
            guard take("/") else { return change }
            guard let time = offset(within: 167) else { return nil }
            change.time = time
            return change
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard text.first == UInt8(ascii: character) else { return false }
            text = text.dropFirst()
            return true
        }

        private mutating func number() -> Int64? {
            let digits = text.prefix(while: Self.isDigit)
            guard (1...3).contains(digits.count) else { return nil }
            text = text.dropFirst(digits.count)
            return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        }

        private static func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        }

        private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    }
}
