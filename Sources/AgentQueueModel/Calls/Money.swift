/// US dollars as text. An amount that is not known is nil, never 0.
package enum Money {
    /// For people: `$0` for what is free, `$1,234.50`, `$0.25`, `$0.0000437`; `unknown` for nil. Three significant digits below a dollar,
    /// never an exponent, and never `$0` for what costs something.
    package static func display(_ dollars: Double?) -> String {
        guard let dollars else { return "unknown" }
        guard dollars.isFinite, abs(dollars) < 1e15 else { return "$\(dollars)" }
        let sign = dollars < 0 ? "-" : ""
        let amount = abs(dollars)
        if amount == 0 { return "$0" }
        if amount >= 0.995 { return "\(sign)$\(grouped(fixed(amount, places: 2)))" }
        guard amount >= 0.5e-9 else { return "less than $0.000000001" }
        // The first significant digit and two more, at most nine decimals, and never less than cents.
        var places = 3
        var least = 0.1
        while amount < least * 0.9995, places < 9 {
            places += 1
            least /= 10
        }
        var digits = fixed(amount, places: places)
        while digits.hasSuffix("0"), digits.utf8.count > 4 { digits.removeLast() }
        return "\(sign)$\(digits)"
    }

    /// For people, of several calls of which some have no known price: `over $0.25`.
    package static func display(_ known: Double?, unpriced: Int) -> String {
        guard let known, unpriced > 0 else { return display(known) }
        return known > 0 ? "over \(display(known))" : "unknown"
    }

    /// For scripts: `0.00004373`, rounded to a billionth, without an exponent. Further digits are floating-point noise. Swift's own format
    /// for huge amounts.
    package static func text(_ dollars: Double) -> String {
        guard dollars.isFinite, abs(dollars) < 1e6 else { return "\(dollars)" }
        var number = fixed(abs(dollars), places: 9)
        while number.hasSuffix("0") { number.removeLast() }
        if number.hasSuffix(".") { number.removeLast() }
        return dollars < 0 && number != "0" ? "-" + number : number
    }

    /// As a JSON number, or null. (Written as digits, because a double below 0.0001 would get an exponent.)
    package static func json(_ dollars: Double?) -> JSONValue {
        guard let dollars, dollars.isFinite else { return .null }
        return .digits(text(dollars))
    }

    /// What several calls cost, as far as it is known; nil if the price of none is known.
    /// - Parameters:
    ///   - known: what the calls of known price cost.
    ///   - calls: how many there were.
    ///   - unpriced: how many of them have no known price.
    package static func sum(_ known: Double, calls: Int, unpriced: Int) -> Double? {
        unpriced > 0 && unpriced >= calls && known == 0 ? nil : known
    }

    /// An amount that is not negative, with so many decimals.
    private static func fixed(_ amount: Double, places: Int) -> String {
        var scale: Int64 = 1
        for _ in 0..<places { scale *= 10 }
        guard amount < Double(Int64.max / scale) else { return "\(amount)" }
        let units = Int64((amount * Double(scale)).rounded())
        let fraction = String(units % scale)
        return "\(units / scale).\(String(repeating: "0", count: places - fraction.utf8.count))\(fraction)"
    }

    private static func grouped(_ number: String) -> String {
        let whole = number.prefix { $0 != "." }
        var text = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.utf8.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text + number.dropFirst(whole.count)
    }
}
