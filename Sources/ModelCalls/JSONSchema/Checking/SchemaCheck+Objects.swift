import JobModel

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
