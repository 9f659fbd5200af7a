extension Expression {
    /// Whether the subject fulfils it.
    public func holds(for subject: JSONValue) -> Bool {
        switch self {
        case .literal(let value): value.bool == true
        case .field(let path): subject.value(at: path).bool == true
        case .comparison(let left, let comparison, let right):
            comparison.holds(left.evaluate(on: subject), right.evaluate(on: subject))
        case .isIn(let value, let list): Self.contains(list, value.evaluate(on: subject))
        case .exists(let path): !subject.value(at: path).isNull
        case .and(let parts): parts.allSatisfy { $0.holds(for: subject) }
        case .or(let parts): parts.contains { $0.holds(for: subject) }
        case .not(let part): !part.holds(for: subject)
        }
    }

    /// What it comes to: the value of a literal or a field, and of all others whether they hold.
    public func evaluate(on subject: JSONValue) -> JSONValue {
        switch self {
        case .literal(let value): value
        case .field(let path): subject.value(at: path)
        default: .bool(holds(for: subject))
        }
    }

    private static func contains(_ list: [JSONValue], _ value: JSONValue) -> Bool {
        list.contains { Comparison.equal.holds(value, $0) }
    }
}

extension Expression.Comparison {
    /// Whether two values compare so.
    func holds(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch self {
        case .equal: Self.meet(left, right)
        case .notEqual: !Self.meet(left, right)
        case .less: left.precedes(right) == true
        case .lessOrEqual: right.precedes(left) == false
        case .greater: right.precedes(left) == true
        case .greaterOrEqual: left.precedes(right) == false
        }
    }

    /// Whether two values are equal, or one is a list that has the other.
    private static func meet(_ left: JSONValue, _ right: JSONValue) -> Bool {
        left.isEqual(to: right) || left.array?.contains { $0.isEqual(to: right) } == true
            || right.array?.contains { $0.isEqual(to: left) } == true
    }
}

extension JSONValue {
    /// What stands at a path; null where there is nothing.
    public func value(at path: some Sequence<Expression.Step>) -> JSONValue {
        var value = self
        for step in path {
            switch step {
            case .member(let name): value = value[name] ?? .null
            case .element(let place):
                guard let elements = value.array, elements.indices.contains(place) else { return .null }
                value = elements[place]
            }
        }
        return value
    }
}
