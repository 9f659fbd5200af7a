/// Durations as people write them: `10ms`, `30s`, `1h30m`, `7d`, `2w`, `1.5h`; a plain number is seconds.
///
/// Units are `w`, `d`, `h`, `m`, `s`, `ms`, `us` and `ns`, largest first, each at most once. A day is 24 hours.
package enum DurationText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("w", 604_800_000_000_000), ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
        ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1),
    ]

    /// Parses a duration.
    /// - Parameters:
    ///   - text: such as `1h30m`. Spaces around it are ignored. A minus sign is rejected.
    ///   - bounds: the allowed range; nil allows everything from 0 to about 292 years.
    /// - Throws: `InvalidText`, which says what is wrong or what the range is.
    package static func parse(_ text: String, in bounds: ClosedRange<Duration>? = nil) throws(InvalidText) -> Duration {
        let duration = Duration.nanoseconds(try nanoseconds(text))
        if let bounds, !bounds.contains(duration) {
            let range = "\(format(bounds.lowerBound)) to \(format(bounds.upperBound))"
            throw InvalidText("\(format(duration)) is out of range (\(range))")
        }
        return duration
    }

    /// Formats a duration so that ``parse(_:in:)`` reads the same value back: `30s`, `1h30m`, `7d`, `1.5s`, `10ms`, `0s`.
    ///
    /// Exact to the nanosecond. Weeks are written as days. A negative duration has a leading minus.
    package static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        var rest = Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000)
        guard rest != 0 else { return "0s" }
        var text = rest < 0 ? "-" : ""
        if rest < 0 { rest = -rest }
        for unit in units where unit.name != "w" {
            let size = Int128(unit.nanoseconds)
            guard rest >= size else { continue }
            text += "\(rest / size)"
            rest %= size
            if unit.nanoseconds <= 1_000_000_000 {
                text += fraction(Int64(rest), of: unit.nanoseconds)
                rest = 0
            }
            text += unit.name
        }
        return text
    }

    /// `rest / size` as `.25`, without trailing zeros; empty for 0. `size` is a power of ten.
    private static func fraction(_ rest: Int64, of size: Int64) -> String {
        guard rest > 0 else { return "" }
        var digits = String(String(size + rest).dropFirst())
        while digits.hasSuffix("0") { digits.removeLast() }
        return "." + digits
    }

    private static func nanoseconds(_ text: String) throws(InvalidText) -> Int64 {
        var rest = Substring(text).utf8.trimmingSpaces()
        let refused = InvalidText("\(InvalidText.quoted(text)) is not a duration (write 10ms, 30s, 1h30m or 7d)")
        guard rest.first != UInt8(ascii: "-") else {
            throw InvalidText("\(InvalidText.quoted(text)) is negative; a duration cannot be")
        }
        guard !rest.isEmpty else { throw refused }

        var total: Int64 = 0
        var smallestSoFar = Int64.max
        while !rest.isEmpty {
            guard let number = DecimalText(takenFrom: &rest) else { throw refused }
            let name = String(Substring(rest.prefix { $0 != UInt8(ascii: ".") && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }))
            rest = rest.dropFirst(name.utf8.count)
            let size: Int64
            if name.isEmpty, smallestSoFar == .max {
                size = 1_000_000_000
            } else if let unit = units.first(where: { $0.name == name || (name == "µs" && $0.name == "us") }) {
                size = unit.nanoseconds
            } else {
                throw refused
            }
            guard size < smallestSoFar else { throw refused }
            smallestSoFar = size
            guard let part = number.multiplied(by: size), case (let sum, let overflowed) = total.addingReportingOverflow(part), !overflowed
            else {
                throw InvalidText("\(InvalidText.quoted(text)) is too long (at most 292 years)")
            }
            total = sum
        }
        return total
    }
}

extension Duration {
    package static func hours(_ count: Int) -> Duration { .seconds(count * 3600) }
    package static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }

    /// Whole milliseconds, truncated, and clamped to the largest number that fits.
    package var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1_000)
        let (sum, isBeyond) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return isTooLong || isBeyond ? (seconds < 0 ? .min : .max) : sum
    }
}
