/// The five fields of a cron expression, in order.
enum CronField: Int, CaseIterable, Sendable {
    case minute, hour, dayOfMonth, month, dayOfWeek

    /// The name used in messages.
    var name: String {
        switch self {
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day of month"
        case .month: "month"
        case .dayOfWeek: "day of week"
        }
    }

    /// The numbers allowed in it. Sunday is both 0 and 7.
    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        }
    }

    /// The names of its numbers, from the lowest up.
    var words: [String] {
        switch self {
        case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        case .minute, .hour, .dayOfMonth: []
        }
    }
}

extension CronField {
    /// Parses a field: numbers, names, ranges and steps, separated by commas.
    /// - Returns: the matching numbers as bits; for a day of the week, 7 becomes 0.
    /// - Throws: `CronError`, which names the field.
    func bits(_ text: Substring) throws(CronError) -> UInt64 {
        var bits: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) { bits |= try self.bits(ofPart: part) }
        if self == .dayOfWeek, bits & 1 << 7 != 0 { bits = bits & ~(1 << 7) | 1 }
        return bits
    }

    private func bits(ofPart part: Substring) throws(CronError) -> UInt64 {
        guard !part.isEmpty else { throw CronError("a comma has nothing beside it", in: self) }
        let halves = part.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count <= 2 else { throw CronError("\(InvalidText.quoted(String(part))) has more than one step", in: self) }
        let span = try self.span(halves[0])
        var step = 1
        if halves.count == 2 {
            guard halves[0] == "*" || halves[0].contains("-") else {
                throw CronError("a step needs a range or * before it, not \(InvalidText.quoted(String(halves[0])))", in: self)
            }
            guard let number = number(halves[1]), (1...range.upperBound).contains(number) else {
                throw CronError("\(InvalidText.quoted(String(halves[1]))) is not a step (1 to \(range.upperBound))", in: self)
            }
            step = number
        }
        var bits: UInt64 = 0
        for number in stride(from: span.lowerBound, through: span.upperBound, by: step) { bits |= 1 << UInt64(number) }
        return bits
    }

    private func span(_ text: Substring) throws(CronError) -> ClosedRange<Int> {
        // The range holds Sunday twice; once is enough.
        if text == "*" { return self == .dayOfWeek ? 0...6 : range }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        let first = try value(ends[0])
        guard ends.count > 1 else { return first...first }
        guard ends.count == 2 else { throw CronError("\(InvalidText.quoted(String(text))) is not a range", in: self) }
        var last = try value(ends[1])
        // In a range such as `fri-sun`, Sunday is 7.
        if self == .dayOfWeek, ends[1].lowercased() == "sun", first > 0 { last = 7 }
        guard first <= last else { throw CronError("the range \(InvalidText.quoted(String(text))) runs backwards", in: self) }
        return first...last
    }

    private func value(_ text: Substring) throws(CronError) -> Int {
        guard !text.isEmpty else { throw CronError("a number is missing", in: self) }
        if let index = words.firstIndex(of: text.lowercased()) { return range.lowerBound + index }
        guard let number = number(text) else {
            let names = words.isEmpty ? "" : " nor a name such as \(words[0])"
            throw CronError("\(InvalidText.quoted(String(text))) is not a number\(names)", in: self)
        }
        guard range.contains(number) else {
            throw CronError("\(InvalidText.quoted(String(text))) is out of range (\(range.lowerBound) to \(range.upperBound))", in: self)
        }
        return number
    }

    /// Only digits, because `Int` also accepts signs. Longer numbers are out of every range.
    private func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return text.utf8.count > 9 ? .max : Int(text)
    }
}
