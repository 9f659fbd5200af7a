extension SchemaCheck {
    mutating func fits(object value: JSONValue, _ members: [JSONValue.Member], _ rule: ObjectRule) -> Bool {
        var fit = true
        if let least = rule.least, members.count < least {
            fit = fail("must have at least \(ShownJSON.count(least, "member")), not \(members.count)")
        } else if let most = rule.most, members.count > most {
            fit = fail("must have at most \(ShownJSON.count(most, "member")), not \(members.count)")
        }
        guard goesOn(fit, &fit) else { return false }
        var isPresent = Array(repeating: false, count: rule.required.count)
        for member in members {
            guard spend(1) else { return false }
            guard goesOn(fits(member, rule, &isPresent), &fit) else { return false }
        }
        for (name, isThere) in zip(rule.required, isPresent) where !isThere {
            guard goesOn(fail("must have the member \(ShownJSON.name(name))"), &fit) else { return false }
        }
        guard !rule.companions.isEmpty || !rule.dependents.isEmpty else { return fit }
        return goesOn(fitsDependent(value, members, rule), &fit) && fit
    }

    private mutating func fits(_ member: JSONValue.Member, _ rule: ObjectRule, _ isPresent: inout [Bool]) -> Bool {
        var fit = true
        if let names = rule.names {
            guard goesOn(nameFits(member.key, names), &fit) else { return false }
        }
        let known = rule.members[ExactText(member.key)]
        if let place = known?.requiredPlace { isPresent[place] = true }
        var isSpokenOf = false
        if let schema = known?.schema {
            isSpokenOf = true
            guard goesOn(within(.name(member.key)) { $0.fits(member.value, schema) }, &fit) else { return false }
        }
        for (pattern, schema) in rule.patterns where finds(pattern, in: member.key) {
            isSpokenOf = true
            guard goesOn(within(.name(member.key)) { $0.fits(member.value, schema) }, &fit) else { return false }
        }
        guard !isSpokenOf, let rest = rule.rest else { return fit }
        if nodes[rest].verdict == false { return fail("must not have the member \(ShownJSON.name(member.key))") }
        return within(.name(member.key)) { $0.fits(member.value, rest) } && fit
    }

    private mutating func nameFits(_ name: String, _ schema: Int) -> Bool {
        let value = JSONValue.string(name)
        if quietly({ $0.fits(value, schema) }) { return true }
        let reason = firstViolation(of: value, schema).map { ": it \($0)" } ?? ""
        return fail("must not have a member named \(ShownJSON.name(name))\(reason)")
    }

    private mutating func fitsDependent(_ value: JSONValue, _ members: [JSONValue.Member], _ rule: ObjectRule) -> Bool {
        let names = Set(members.map { ExactText($0.key) })
        var fit = true
        for (name, required) in rule.companions where names.contains(ExactText(name)) {
            for other in required where !names.contains(ExactText(other)) {
                let complaint = "must have the member \(ShownJSON.name(other)), because it has \(ShownJSON.name(name))"
                guard goesOn(fail(complaint), &fit) else { return false }
            }
        }
        for (name, schema) in rule.dependents where names.contains(ExactText(name)) {
            guard goesOn(fits(value, schema), &fit) else { return false }
        }
        return fit
    }
}

extension SchemaCheck {
    mutating func fits(list elements: [JSONValue], _ rule: ListRule) -> Bool {
        var fit = true
        if let least = rule.least, elements.count < least {
            fit = fail("must have at least \(ShownJSON.count(least, "element")), not \(elements.count)")
        } else if let most = rule.most, elements.count > most {
            fit = fail("must have at most \(ShownJSON.count(most, "element")), not \(elements.count)")
        }
        guard goesOn(!rule.isUnique || areUnique(elements), &fit) else { return false }
        guard goesOn(eachFits(elements, rule), &fit) else { return false }
        if let wanted = rule.wanted { return goesOn(holdsWanted(elements, wanted, rule), &fit) && fit }
        return fit
    }

    private mutating func eachFits(_ elements: [JSONValue], _ rule: ListRule) -> Bool {
        guard rule.rest != nil || !rule.first.isEmpty else { return true }
        var fit = true
        for (index, element) in elements.enumerated() {
            guard let schema = index < rule.first.count ? rule.first[index] : rule.rest else { break }
            guard goesOn(within(.index(index)) { $0.fits(element, schema) }, &fit) else { return false }
        }
        return fit
    }

    private mutating func areUnique(_ elements: [JSONValue]) -> Bool {
        var places: [[UInt8]: Int] = [:]
        for (index, element) in elements.enumerated() {
            let key = element.equalityKey
            guard spend(1 + key.count / 64) else { return false }
            if let earlier = places.updateValue(index, forKey: key) {
                return fail("must have no two equal elements, but \(earlier) and \(index) are")
            }
        }
        return true
    }

    private mutating func holdsWanted(_ elements: [JSONValue], _ wanted: Int, _ rule: ListRule) -> Bool {
        var count = 0
        for element in elements {
            if quietly({ $0.fits(element, wanted) }) { count += 1 }
            // Counting further elements makes no difference.
            if surrender != nil || rule.mostWanted == nil && count >= rule.leastWanted { break }
        }
        let kind = "of the kind that 'contains' asks for, not \(count)"
        if count < rule.leastWanted {
            return fail("must have at least \(ShownJSON.count(rule.leastWanted, "element")) \(kind)")
        }
        if let most = rule.mostWanted, count > most {
            return fail("must have at most \(ShownJSON.count(most, "element")) \(kind)")
        }
        return true
    }
}

extension SchemaCheck {
    /// The maximum length of a message about alternatives, in characters.
    private static let maxComplaint = 400

    /// Whether a value satisfies the subschemas that apply to it in place.
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

    /// Runs a check without recording violations.
    mutating func quietly(_ body: (inout SchemaCheck) -> Bool) -> Bool {
        let wanted = limit
        limit = 0
        defer { limit = wanted }
        return body(&self)
    }

    /// The first violation of a schema by a value that does not satisfy it, with its location relative to the value.
    mutating func firstViolation(of value: JSONValue, _ schema: Int) -> String? {
        let kept = (limit, violations, path)
        (limit, violations, path) = (1, [], [])
        _ = fits(value, schema)
        let found = violations.first
        (limit, violations, path) = kept
        return found.map { $0.pointer.isEmpty ? $0.message : $0.description }
    }

    /// Records why none of several schemas is satisfied. Every schema is checked again, so this is done only if the message is needed.
    private mutating func failAll(_ value: JSONValue, _ schemas: [Int], _ keyword: String) -> Bool {
        guard !isFull else { return false }
        let candidates = schemas.filter { !isOfAnotherKind(value, $0) }
        if candidates.count == 1 {
            // If `a Person or null` was given an object, what matters is what is wrong with the person.
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

    /// Whether a schema concerns only values of other types.
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
