import AgentQueueModel

/// The values of an expression for the metadata of each slot of an index: one code for each slot, and a table of the distinct values.
///
/// A condition is evaluated once for each distinct value. One pass over the codes then gives the set of slots.
struct MetadataColumn {
    /// What is read from the metadata: a field, or a condition on several.
    let source: Expression
    /// When it was last used, by the cache's own counter.
    var lastUsed = 0
    /// One code for each slot; 0 for slots without metadata.
    private var codes: [UInt32] = []
    /// The values, by code.
    private var values: [JSONValue]
    private var known: [ExactValue: UInt32]
    /// The codes of lists, which equal more than themselves (a list equals each of its elements).
    private var lists: [Int] = []
    private var textBytes = 0

    init(_ source: Expression) {
        self.source = source
        let none = source.evaluate(on: .null)
        values = [none]
        known = [ExactValue(value: none): 0]
    }

    /// The number of slots it covers.
    var count: Int { codes.count }

    /// Approximate memory use, in bytes.
    var bytes: Int { codes.capacity * 4 + values.capacity * MemoryLayout<JSONValue>.stride * 3 + textBytes }

    /// Adds slots, which have no metadata until it is set.
    mutating func extend(to slots: Int) {
        codes.append(contentsOf: repeatElement(0, count: slots - codes.count))
    }

    /// Sets the value of a slot from its metadata.
    mutating func set(_ slot: Int, from metadata: JSONValue) {
        let value = source.evaluate(on: metadata)
        let key = ExactValue(value: value)
        if let code = known[key] {
            codes[slot] = code
            return
        }
        let code = UInt32(values.count)
        known[key] = code
        codes[slot] = code
        if value.array != nil { lists.append(values.count) }
        switch value {
        case .string(let text): textBytes += text.utf8.count > 15 ? text.utf8.count + 32 : 0
        case .array, .object: textBytes += value.utf8(sorted: false).count * 4
        default: break
        }
        values.append(value)
    }

    /// The slots whose value matches a condition, which calls the value `$`.
    func places(where condition: Expression) -> SlotSet {
        SlotSet(codes, where: verdicts(condition))
    }

    private func verdicts(_ condition: Expression) -> [UInt8] {
        // Equality is a dictionary lookup, except for lists, so a condition on an id is not evaluated for a million ids.
        switch condition {
        case .comparison(.field([]), .equal, .literal(let literal)): return verdicts(condition, amid: [literal])
        case .comparison(.field([]), .notEqual, .literal(let literal)):
            return verdicts(.comparison(.field([]), .equal, .literal(literal)), amid: [literal]).map { 1 - $0 }
        case .isIn(.field([]), let list): return verdicts(condition, amid: list)
        default: return values.map { condition.holds(for: $0) ? 1 : 0 }
        }
    }

    private func verdicts(_ condition: Expression, amid literals: [JSONValue]) -> [UInt8] {
        var verdicts = [UInt8](repeating: 0, count: values.count)
        for literal in literals + literals.flatMap({ $0.array ?? [] }) {
            if let code = known[ExactValue(value: literal)] { verdicts[Int(code)] = 1 }
        }
        for code in lists where verdicts[code] == 0 { verdicts[code] = condition.holds(for: values[code]) ? 1 : 0 }
        return verdicts
    }
}

/// A JSON value as a dictionary key, with the equality of `Expression`.
struct ExactValue: Hashable {
    let value: JSONValue

    static func == (one: ExactValue, other: ExactValue) -> Bool { one.value.isEqual(to: other.value) }

    func hash(into hasher: inout Hasher) {
        switch value {
        case .string(var text): text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        case .bool(let bool): hasher.combine(bool)
        // Equal numbers have equal doubles, but not the other way round.
        case .integer, .double, .digits: hasher.combine(value.number)
        case .null: break
        case .array, .object: hasher.combine(value.equalityKey)
        }
    }
}
