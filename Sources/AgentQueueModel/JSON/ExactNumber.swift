/// A JSON number in exact decimal form: `0.1` is exactly a tenth, and an integer of any length keeps its digits. A double stands for the
/// shortest decimal that reads back as the same double, which is what its author wrote.
package struct ExactNumber: Sendable, Hashable {
    /// False for zero.
    package let isNegative: Bool
    /// The digits, 0 to 9, without zeros at either end; empty for zero.
    package let digits: [UInt8]
    /// The power of ten of the last digit; 0 for zero.
    package let exponent: Int

    /// Reads a number as JSON writes it; nil for any other value.
    package init?(_ value: JSONValue) {
        switch value {
        case .integer(let number): self.init(text: String(number))
        case .double(let number):
            guard number.isFinite else { return nil }
            self.init(text: "\(number)")
        case .digits(let text): self.init(text: text)
        default: return nil
        }
    }

    private init(text: String) {
        var digits: [UInt8] = []
        var exponent = 0
        var isFraction = false
        var rest = Substring(text).utf8
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative { rest.removeFirst() }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if isFraction { exponent -= 1 }
                if byte == UInt8(ascii: "0"), digits.isEmpty { continue }
                digits.append(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "."): isFraction = true
            default:
                exponent += Int(Substring(rest)) ?? 0
                rest = Substring().utf8
            }
        }
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        self.isNegative = isNegative && !digits.isEmpty
        self.digits = digits
        self.exponent = digits.isEmpty ? 0 : exponent
    }

    package var isZero: Bool { digits.isEmpty }
    package var isInteger: Bool { exponent >= 0 }

    /// A spelling shared by all equal numbers.
    package var text: String { "\(isNegative ? "-" : "")\(String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self))e\(exponent)" }

    /// The digits as a number; nil if it does not fit 64 bits.
    package var significand: UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            let (product, tooLong) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooLarge) = product.addingReportingOverflow(UInt64(digit))
            guard !tooLong, !tooLarge else { return nil }
            value = sum
        }
        return value
    }

    /// Whether this is a whole multiple of a divisor that is not zero and whose significand fits 64 bits.
    package func isMultiple(of divisor: ExactNumber) -> Bool {
        guard !isZero else { return true }
        guard let modulus = divisor.significand, modulus > 0 else { return false }
        // (a × 10^p) / (b × 10^q) with p < q would need a power of ten in a, which has no trailing zero.
        guard exponent >= divisor.exponent else { return false }
        var remainder: UInt64 = 0
        for digit in digits { remainder = Self.step(remainder, digit, modulus) }
        for _ in 0..<(exponent - divisor.exponent) {
            if remainder == 0 { break }
            remainder = Self.step(remainder, 0, modulus)
        }
        return remainder == 0
    }

    private static func step(_ remainder: UInt64, _ digit: UInt8, _ modulus: UInt64) -> UInt64 {
        let (high, low) = remainder.multipliedFullWidth(by: 10)
        let (sum, carries) = low.addingReportingOverflow(UInt64(digit))
        return modulus.dividingFullWidth((high + (carries ? 1 : 0), sum)).remainder
    }
}

extension ExactNumber: Comparable {
    /// Compares by value.
    package static func < (one: ExactNumber, other: ExactNumber) -> Bool {
        guard one.isNegative == other.isNegative else { return one.isNegative }
        return one.isNegative ? other.isSmaller(than: one) : one.isSmaller(than: other)
    }

    /// Compares magnitudes.
    private func isSmaller(than other: ExactNumber) -> Bool {
        if isZero || other.isZero { return isZero && !other.isZero }
        let (mine, others) = (digits.count + exponent, other.digits.count + other.exponent)
        return mine == others ? digits.lexicographicallyPrecedes(other.digits) : mine < others
    }
}
