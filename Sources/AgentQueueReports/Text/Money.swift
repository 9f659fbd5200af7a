import AgentQueueModel

/// US dollars for scripts: rounded to a billionth, without an exponent. Further digits are floating-point noise.
package enum Money {
    private static let places = 9
    private static let scale = 1e9

    /// `0.00004373`; Swift's own format for huge amounts.
    package static func text(_ dollars: Double) -> String {
        guard dollars.isFinite, abs(dollars) < 1e6 else { return "\(dollars)" }
        let units = Int64((abs(dollars) * scale).rounded())
        let sign = dollars < 0 && units > 0 ? "-" : ""
        let digits = String(units % Int64(scale))
        var text = "\(sign)\(units / Int64(scale)).\(String(repeating: "0", count: places - digits.count))\(digits)"
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text
    }

    /// As a number. (Written as digits, because a double below 0.0001 would get an exponent.)
    package static func json(_ dollars: Double) -> JSONValue {
        dollars.isFinite ? .digits(text(dollars)) : .null
    }

    /// The same, or null.
    package static func json(_ dollars: Double?) -> JSONValue {
        dollars.map { json($0) } ?? .null
    }
}
