/// Byte counts as people write them: `64MiB`, `8GiB`, `500kB`; a plain number is bytes.
///
/// `KiB`, `MiB`, `GiB` and `TiB` are powers of 1024; `kB`, `MB`, `GB` and `TB` are powers of 1000. Case does not matter. A bare `K`, `M`
/// or `G` is rejected as ambiguous.
package enum ByteCountText {
    private static let units: [(name: String, bytes: Int64)] = [
        ("TiB", 1 << 40), ("TB", 1_000_000_000_000), ("GiB", 1 << 30), ("GB", 1_000_000_000),
        ("MiB", 1 << 20), ("MB", 1_000_000), ("KiB", 1 << 10), ("kB", 1_000), ("B", 1),
    ]

    /// Parses a byte count.
    /// - Parameters:
    ///   - text: such as `64MiB` or `1.5 GiB`. A minus sign is rejected.
    ///   - bounds: the allowed range in bytes; nil allows everything from 0 that fits 64 bits.
    /// - Throws: `InvalidText`, which says what is wrong or what the range is.
    package static func parse(_ text: String, in bounds: ClosedRange<Int64>? = nil) throws(InvalidText) -> Int64 {
        var rest = Substring(text).utf8.trimmingSpaces()
        let refused = InvalidText("\(InvalidText.quoted(text)) is not a byte count (write 500kB, 64MiB or 8GiB)")
        guard rest.first != UInt8(ascii: "-") else {
            throw InvalidText("\(InvalidText.quoted(text)) is negative; a byte count cannot be")
        }
        guard let number = DecimalText(takenFrom: &rest) else { throw refused }
        let name = String(Substring(rest.trimmingSpaces())).lowercased()
        guard let unit = name.isEmpty ? units.last : units.first(where: { $0.name.lowercased() == name }) else { throw refused }
        guard let bytes = number.multiplied(by: unit.bytes) else {
            throw InvalidText("\(InvalidText.quoted(text)) is too large a byte count")
        }
        if let bounds, !bounds.contains(bytes) {
            throw InvalidText("\(format(bytes)) is out of range (\(format(bounds.lowerBound)) to \(format(bounds.upperBound)))")
        }
        return bytes
    }

    /// Formats a byte count so that ``parse(_:in:)`` reads the same value back, in the largest unit that divides it: `64MiB`, `500kB`,
    /// `1537B`.
    package static func format(_ bytes: Int64) -> String {
        guard bytes != 0, let unit = units.first(where: { bytes % $0.bytes == 0 }) else { return "0B" }
        return "\(bytes / unit.bytes)\(unit.name)"
    }
}

/// A number at the start of a text, kept exact: `12.5` is 125 with scale 1, so that `0.1s` is exactly 100 ms.
struct DecimalText {
    private let digits: Int64
    private let scale: Int

    /// Takes digits, with at most one point between them, from the start of `text`. The result is nil, and `text` is unchanged, if there
    /// are none or too many.
    init?(takenFrom text: inout Substring.UTF8View) {
        var rest = text
        var digits: Int64 = 0
        var scale = 0
        var seen = 0
        var point = false
        while let byte = rest.first {
            if byte == UInt8(ascii: "."), !point, seen > 0 {
                point = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                let (tens, overflowed) = digits.multipliedReportingOverflow(by: 10)
                let (sum, carried) = tens.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
                guard !overflowed, !carried else { return nil }
                digits = sum
                seen += 1
                if point { scale += 1 }
            } else {
                break
            }
            rest = rest.dropFirst()
        }
        guard seen > 0, !point || scale > 0 else { return nil }
        self.digits = digits
        self.scale = scale
        text = rest
    }

    /// The number times `factor`, truncated to a whole number. Nil if it does not fit 64 bits.
    func multiplied(by factor: Int64) -> Int64? {
        var wide = Int128(digits) * Int128(factor)
        for _ in 0..<scale { wide /= 10 }
        return Int64(exactly: wide)
    }
}
