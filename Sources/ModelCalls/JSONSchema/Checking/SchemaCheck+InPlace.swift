import JobModel

extension SchemaCheck {
    /// The longest complaint about a choice of schemas, in characters.
    private static let maxComplaint = 400

    /// Whether a value fits schemas for the same value.
    mutating func fits(_ value: JSONValue, _ rule: InPlaceRule) -> Bool {
        switch rule {
        case .reference(let schema): return fits(value, schema)
        case .all(let schemas):
            var fit = true
            for schema in schemas where !goesOn(fits(value, schema), &fit) { return false }
            return fit
        case .any(let schemas):
            for schema in schemas where quietly({ $0.fits(value, schema) }) { return true }
            return surrender == nil && failAll(value, schemas, "anyOf")
        case .one(let schemas): return fitsOne(value, schemas)
        case .not(let schema):
            return !quietly { $0.fits(value, schema) } || fail("must not be what 'not' describes")
        case .condition(let condition, let then, let otherwise):
            let holds = quietly { $0.fits(value, condition) }
            guard surrender == nil, let schema = holds ? then : otherwise else { return surrender == nil }
            return fits(value, schema)
        }
    }

    private mutating func fitsOne(_ value: JSONValue, _ schemas: [Int]) -> Bool {
        var fitting = 0
        for schema in schemas where quietly({ $0.fits(value, schema) }) {
            fitting += 1
            if fitting > 1 { return fail("must fit exactly one of \(schemas.count) forms (oneOf), but fits several") }
        }
        guard surrender == nil, fitting == 0 else { return surrender == nil }
        return failAll(value, schemas, "oneOf")
    }

    /// Finds out whether something fits, and notes nothing.
    mutating func quietly(_ body: (inout SchemaCheck) -> Bool) -> Bool {
        let wanted = limit
        limit = 0
        defer { limit = wanted }
        return body(&self)
    }

    /// What is wrong with a value that does not fit a schema; the place is named from the value on.
    mutating func firstViolation(of value: JSONValue, _ schema: Int) -> String? {
        let kept = (limit, violations, path)
        (limit, violations, path) = (1, [], [])
        _ = fits(value, schema)
        let found = violations.first
        (limit, violations, path) = kept
        return found.map { $0.pointer.isEmpty ? $0.message : $0.description }
    }

    /// Notes why none of several schemas fits. Only where it is wanted: every schema is gone through again for it.
    private mutating func failAll(_ value: JSONValue, _ schemas: [Int], _ keyword: String) -> Bool {
        guard !isFull else { return false }
        let candidates = schemas.filter { !isOfAnotherKind(value, $0) }
        if candidates.count == 1 {
            // `a Person or null` was given an object: what is wrong with the person is what matters.
            _ = fits(value, candidates[0])
            return false
        }
        var reasons: [String] = []
        for schema in schemas.prefix(4) {
            if let reason = firstViolation(of: value, schema), !reasons.contains(reason) { reasons.append(reason) }
        }
        let list = reasons.joined(separator: "; or ")
        let forms = schemas.count == 1 ? "the one form" : "one of \(schemas.count) forms"
        return fail(ShownJSON.clean("must fit \(forms) (\(keyword)): \(list)", limit: Self.maxComplaint))
    }

    /// Whether a schema is about values of other types altogether.
    private func isOfAnotherKind(_ value: JSONValue, _ schema: Int) -> Bool {
        let node = nodes[schema]
        if node.verdict == false { return true }
        if let types = node.types, !types.allow(value) { return true }
        if node.allowed.contains(where: { $0.values.allSatisfy { $0.kindName != value.kindName } }) { return true }
        return node.inPlace.contains { rule in
            if case .reference(let target) = rule { isOfAnotherKind(value, target) } else { false }
        }
    }
}
