/// Reads the parts of an RFC 3339 time from front to back; a read that does not fit takes nothing.
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

    /// One or more digits as a fraction of a second, cut after milliseconds.
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

    /// `Z`, or hours and minutes east of UTC.
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
