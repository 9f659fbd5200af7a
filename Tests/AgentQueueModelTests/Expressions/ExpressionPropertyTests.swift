import AgentQueueModel
import AgentQueueTestSupport
import Testing

/// Expressions at random against an evaluator that is written from the rules alone.
@Suite struct ExpressionPropertyTests {
    @Test(arguments: 0..<20)
    func agreesWithThePlainEvaluatorAndReadsBack(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<300 {
            let expression = Self.condition(3, &random)
            let text = expression.description
            let read = try Expression.parse(text)
            #expect(read == expression, "\(text)")
            #expect(read.description == text)
            for _ in 0..<5 {
                let subject = Self.object(2, &random)
                #expect(read.holds(for: subject) == Self.plain(expression, subject), "\(text) on \(subject.text)")
            }
        }
    }

    @Test(arguments: 0..<20)
    func noTextBreaksIt(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(1_000 + seed))
        let words = [
            "a", "b.c", "and", "or", "not", "in", "exists", "(", ")", "[", "]", "'", "\"", "\\", "=", "!", "<", ">=", "1", "-", "1e5", ",",
            ".",
            "$", " ", "null", "true", "\u{0}", "é", "&&", "|", "\\u12", "'x'", "😀", "\u{301}",
        ]
        for _ in 0..<500 {
            let length = Int.random(in: 0..<40, using: &random)
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text =
                Bool.random(using: &random)
                ? String(decoding: bytes, as: UTF8.self)
                : (0..<length).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }.joined()
            do {
                let expression = try Expression.parse(text)
                #expect(try Expression.parse(expression.description) == expression)
                _ = expression.holds(for: Self.object(2, &random))
            } catch {
                #expect(error.problem.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
                #expect((1...(text.unicodeScalars.count + 1)).contains(error.column))
            }
        }
    }

    // MARK: At random

    private static let names = ["a", "b", "odd key", "and", "é", "x-1"]

    private static func scalar(_ random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: .double([0.5, -1.25, 1e300, 9_007_199_254_740_994][Int.random(in: 0..<4, using: &random)])
        case 3: .digits("9223372036854775808")
        case 4: .integer([.max, 9_007_199_254_740_993, -7][Int.random(in: 0..<3, using: &random)])
        case 5: .string(["", "é", "e\u{301}", "\u{7}\"'\\"][Int.random(in: 0..<4, using: &random)])
        case 6: .string(["a", "b"][Int.random(in: 0..<2, using: &random)])
        default: .integer(Int64.random(in: 0..<3, using: &random))
        }
    }

    private static func list(_ random: inout SeededGenerator) -> [JSONValue] {
        (0..<Int.random(in: 0..<4, using: &random)).map { _ in scalar(&random) }
    }

    private static func value(_ random: inout SeededGenerator) -> JSONValue {
        Int.random(in: 0..<4, using: &random) == 0 ? .array(list(&random)) : scalar(&random)
    }

    private static func object(_ depth: Int, _ random: inout SeededGenerator) -> JSONValue {
        .object(
            names.shuffled(using: &random).prefix(Int.random(in: 0...names.count, using: &random)).map { name in
                let inner = depth > 0 && Int.random(in: 0..<4, using: &random) == 0
                return .init(name, inner ? object(depth - 1, &random) : value(&random))
            })
    }

    private static func path(_ random: inout SeededGenerator) -> [Expression.Step] {
        (0..<Int.random(in: 0..<3, using: &random)).map { _ in
            Int.random(in: 0..<4, using: &random) == 0
                ? .element(Int.random(in: 0..<3, using: &random)) : .member(names[Int.random(in: 0..<names.count, using: &random)])
        }
    }

    private static func operand(_ depth: Int, _ random: inout SeededGenerator) -> Expression {
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where depth > 0: condition(depth - 1, &random)
        case 1, 2: .literal(value(&random))
        default: .field(path(&random))
        }
    }

    private static func condition(_ depth: Int, _ random: inout SeededGenerator) -> Expression {
        func parts() -> [Expression] { (0..<Int.random(in: 2..<4, using: &random)).map { _ in condition(depth - 1, &random) } }
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
        case 0: return .isIn(operand(depth, &random), list(&random))
        case 1: return .exists(path(&random))
        case 2: return Bool.random(using: &random) ? .field(path(&random)) : .literal(.bool(Bool.random(using: &random)))
        case 3, 4:
            let all: [Expression.Comparison] = [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual]
            return .comparison(operand(depth, &random), all[Int.random(in: 0..<6, using: &random)], operand(depth, &random))
        case 5: return .and(parts())
        case 6: return .or(parts())
        default: return .not(condition(depth - 1, &random))
        }
    }

    // MARK: The rules

    private static func plain(_ expression: Expression, _ subject: JSONValue) -> Bool {
        switch expression {
        case .literal, .field: plainValue(expression, subject) == .bool(true)
        case .comparison(let left, let comparison, let right):
            plain(plainValue(left, subject), comparison, plainValue(right, subject))
        case .isIn(let left, let list): list.contains { plain(plainValue(left, subject), .equal, $0) }
        case .exists(let path): plainValue(.field(path), subject) != .null
        case .and(let parts): !parts.contains { !plain($0, subject) }
        case .or(let parts): !parts.allSatisfy { !plain($0, subject) }
        case .not(let part): !plain(part, subject)
        }
    }

    private static func plainValue(_ expression: Expression, _ subject: JSONValue) -> JSONValue {
        switch expression {
        case .literal(let value): return value
        case .field(let path):
            var here: JSONValue? = subject
            for step in path {
                switch (here, step) {
                case (.object(let members), .member(let name)): here = members.first { $0.key == name }?.value
                case (.array(let elements), .element(let place)): here = place < elements.count ? elements[place] : nil
                default: here = nil
                }
            }
            return here ?? .null
        default: return .bool(plain(expression, subject))
        }
    }

    private static func plain(_ left: JSONValue, _ comparison: Expression.Comparison, _ right: JSONValue) -> Bool {
        func meets() -> Bool {
            if same(left, right) { return true }
            if case .array(let elements) = left, elements.contains(where: { same($0, right) }) { return true }
            if case .array(let elements) = right, elements.contains(where: { same($0, left) }) { return true }
            return false
        }
        let order = order(left, right)
        switch comparison {
        case .equal: return meets()
        case .notEqual: return !meets()
        case .less: return order.map { $0 < 0 } ?? false
        case .lessOrEqual: return order.map { $0 <= 0 } ?? false
        case .greater: return order.map { $0 > 0 } ?? false
        case .greaterOrEqual: return order.map { $0 >= 0 } ?? false
        }
    }

    private static func same(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let one), .bool(let two)): one == two
        case (.array(let one), .array(let two)): one.count == two.count && zip(one, two).allSatisfy { same($0, $1) }
        case (.object(let one), .object(let two)):
            one.count == two.count && one.allSatisfy { member in right[member.key].map { same(member.value, $0) } ?? false } && !two.isEmpty
                || one.isEmpty && two.isEmpty
        default: order(left, right) == 0
        }
    }

    /// Numbers with 80 bits of precision: enough for all that are made here. (One of them, 1e300, is far from the others.)
    private static func order(_ left: JSONValue, _ right: JSONValue) -> Int? {
        func number(_ value: JSONValue) -> (Double, Double)? {
            switch value {
            case .integer(let number):
                let near = Double(number / 1_024 * 1_024)
                return (near, Double(number % 1_024))
            case .double(let number): return (number, 0)
            case .digits(let text): return Double(text).map { ($0, 0) }
            default: return nil
            }
        }
        if case .string(let one) = left, case .string(let two) = right {
            let (one, two) = (one.unicodeScalars.map(\.value), two.unicodeScalars.map(\.value))
            return one == two ? 0 : one.lexicographicallyPrecedes(two) ? -1 : 1
        }
        guard let one = number(left), let two = number(right) else { return nil }
        // The high parts differ exactly where these numbers are near each other; what is left then is small.
        let difference = (one.0 - two.0) + (one.1 - two.1)
        return difference < 0 ? -1 : difference > 0 ? 1 : 0
    }
}
