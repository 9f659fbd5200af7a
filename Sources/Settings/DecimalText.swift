/// A number at the front of a text, kept exact: `12.5` is 125 with scale 1, so that `0.1s` is 100 ms and not nearly so.
struct DecimalText {
    private let digits: Int64
    private let scale: Int

    /// Takes digits, with at most one point between them, off the front of `text`. Nil, and `text` untouched, if there are none or too
    /// many.
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

    /// The number times `factor`, cut to a whole number. Nil if it does not fit 64 bits.
    func multiplied(by factor: Int64) -> Int64? {
        var wide = Int128(digits) * Int128(factor)
        for _ in 0..<scale { wide /= 10 }
        return Int64(exactly: wide)
    }
}
