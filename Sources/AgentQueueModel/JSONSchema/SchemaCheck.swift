/// One validation of a value against a compiled schema.
///
/// With a limit of 0 it records nothing, and stops at the first violation.
struct SchemaCheck {
    /// The maximum depth of nested schemas; a linked list needs two or three for each of its links.
    static let maxDepth = 512
    /// The cost of applying a schema, in steps of a pattern.
    private static let schemaWork = 4

    let nodes: [SchemaNode]
    var limit: Int
    var violations: [JSONSchema.Violation] = []
    /// The current location in the value.
    var path: [Part] = []
    /// The remaining work.
    var budget: Int
    /// Why the validation was given up; nil while it continues.
    private(set) var surrender: String?
    private var depth = 0

    /// A step into a value.
    enum Part {
        case name(String)
        case index(Int)
    }

    init(_ nodes: [SchemaNode], limit: Int, budget: Int) {
        self.nodes = nodes
        self.limit = limit
        self.budget = budget
    }

    mutating func accepts(_ value: JSONValue) -> Bool { fits(value, 0) && surrender == nil }

    mutating func violations(in value: JSONValue) -> [JSONSchema.Violation] {
        _ = fits(value, 0)
        guard let surrender else { return violations }
        return [JSONSchema.Violation(pointer: "", message: surrender)]
    }

    /// Whether a value satisfies a schema. Records violations up to the limit.
    mutating func fits(_ value: JSONValue, _ place: Int) -> Bool {
        guard spend(Self.schemaWork) else { return false }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maxDepth else {
            surrender = "is nested too deeply to be checked"
            return false
        }
        if let verdict = nodes[place].verdict { return verdict || fail("is not allowed") }
        if nodes[place].isNullable, value.isNull { return true }
        if let types = nodes[place].types, !types.allow(value) { return fail("must be \(types.words), not \(Self.kind(value, types))") }
        var fit = true
        for allowed in nodes[place].allowed where !isAllowed(value, allowed) {
            fit = fail("must be \(Self.words(allowed)), not \(Self.other(value, than: allowed))")
            if isFull { return false }
        }
        return goesOn(fitsOwnRules(value, place), &fit) && fitsInPlace(value, place, &fit)
    }

    private mutating func fitsOwnRules(_ value: JSONValue, _ place: Int) -> Bool {
        switch value {
        case .integer, .double, .digits: nodes[place].number.isEmpty || fits(number: value, nodes[place].number)
        case .string(let text): nodes[place].text.isEmpty || fits(text: text, nodes[place].text)
        case .array(let elements): nodes[place].list.isEmpty || fits(list: elements, nodes[place].list)
        case .object(let members): nodes[place].object.isEmpty || fits(object: value, members, nodes[place].object)
        case .null, .bool: true
        }
    }

    private mutating func fitsInPlace(_ value: JSONValue, _ place: Int, _ fit: inout Bool) -> Bool {
        for rule in nodes[place].inPlace where !goesOn(fits(value, rule), &fit) { return false }
        return fit
    }

    private mutating func isAllowed(_ value: JSONValue, _ allowed: AllowedValues) -> Bool {
        guard spend(Self.weight(value)) else { return false }
        return allowed.contain(value)
    }

    // MARK: Bookkeeping

    /// Combines the result of a part with the whole. Returns whether it is worth continuing.
    func goesOn(_ partFits: Bool, _ fit: inout Bool) -> Bool {
        fit = fit && partFits
        return surrender == nil && (fit || !isFull)
    }

    /// Whether no more violations are needed.
    var isFull: Bool { violations.count >= limit }

    /// Spends work. Returns whether there was enough left.
    mutating func spend(_ work: Int) -> Bool {
        budget -= work
        guard budget <= 0 else { return true }
        surrender = "takes too long to be checked: it is too large, or the schema too intricate"
        return false
    }

    /// Records a violation, if it is needed. Always returns false, for the caller to return.
    mutating func fail(_ message: @autoclosure () -> String) -> Bool {
        if !isFull { violations.append(JSONSchema.Violation(pointer: pointer, message: message())) }
        return false
    }

    private var pointer: String {
        var text = ""
        for part in path {
            switch part {
            case .name(let name): text += "/" + JSONPointer.escaped(ShownJSON.clean(name))
            case .index(let index): text += "/\(index)"
            }
        }
        return text
    }

    /// Runs a check one step further inside the value.
    mutating func within(_ part: Part, _ body: (inout SchemaCheck) -> Bool) -> Bool {
        path.append(part)
        defer { path.removeLast() }
        return body(&self)
    }

    // Names a value by its type. Violations are stored with errors, which must not contain any part of an answer; only the schema is
    // quoted.

    private static func kind(_ value: JSONValue, _ wanted: SchemaTypes) -> String {
        // If an integer is allowed, a number can only fail because of its fraction.
        value.number != nil && wanted.contains(.integer) ? "a number with a fraction" : value.kindName
    }

    /// `another string` if strings are allowed, otherwise `a string`.
    private static func other(_ value: JSONValue, than allowed: AllowedValues) -> String {
        guard allowed.values.contains(where: { $0.kindName == value.kindName }) else { return value.kindName }
        return switch value {
        case .null: value.kindName
        case .bool: "the other truth value"
        case .integer, .double, .digits: "another number"
        case .string: "another string"
        case .array: "another list"
        case .object: "another object"
        }
    }

    private static func words(_ allowed: AllowedValues) -> String {
        allowed.values.count == 1 ? ShownJSON.list(allowed.values) : "one of \(ShownJSON.list(allowed.values))"
    }

    /// The cost of comparing a value.
    private static func weight(_ value: JSONValue) -> Int {
        switch value {
        case .array(let elements): 1 + elements.reduce(0) { $0 + weight($1) }
        case .object(let members): 1 + members.reduce(0) { $0 + 1 + $1.key.utf8.count / 64 + weight($1.value) }
        case .string(let text), .digits(let text): 1 + text.utf8.count / 64
        case .null, .bool, .integer, .double: 1
        }
    }
}

extension SchemaCheck {
    mutating func fits(number value: JSONValue, _ rule: NumberRule) -> Bool {
        guard let number = ExactNumber(value) else { return fail("must be a finite number") }
        var fit = true
        for bound in rule.bounds where !bound.allows(number) {
            fit = fail("must be \(bound.kind.words) \(bound.limit.shown)")
            if isFull { return false }
        }
        if let divisor = rule.multipleOf, !number.isMultiple(of: divisor.value) {
            fit = fail("must be a multiple of \(divisor.shown)")
        }
        return fit
    }

    mutating func fits(text: String, _ rule: TextRule) -> Bool {
        var fit = true
        if rule.least != nil || rule.most != nil {
            let length = text.unicodeScalars.count
            guard spend(length / 64) else { return false }
            if let least = rule.least, length < least {
                fit = fail("must have at least \(ShownJSON.count(least, "character")), not \(length)")
            } else if let most = rule.most, length > most {
                fit = fail("must have at most \(ShownJSON.count(most, "character")), not \(length)")
            }
        }
        if let pattern = rule.pattern, goesOn(true, &fit), !finds(pattern, in: text) {
            fit = fail("must fit the pattern \(ShownJSON.clean(pattern.source))")
        }
        return fit
    }

    /// Whether a pattern matches anywhere in a text.
    mutating func finds(_ pattern: SchemaPattern, in text: String) -> Bool {
        var matcher = PatternMatcher(text, budget: budget)
        let found = matcher.finds(pattern.program)
        guard spend(budget - matcher.budget), let found else { return false }
        return found
    }
}
