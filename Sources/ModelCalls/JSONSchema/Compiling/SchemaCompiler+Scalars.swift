import JobModel

extension SchemaCompiler {
    /// Returns whether the keyword is one about numbers.
    func applyNumber(_ member: JSONValue.Member, to rule: inout NumberRule, _ site: Site) throws(JSONSchemaError) -> Bool {
        if let kind = NumberRule.Bound.Kind(rawValue: member.key) {
            rule.bounds.append(NumberRule.Bound(kind: kind, limit: try number(member, site)))
            return true
        }
        guard member.key == "multipleOf" else { return false }
        let divisor = try number(member, site)
        guard !divisor.value.isNegative, !divisor.value.isZero else {
            throw JSONSchemaError("multipleOf must be greater than 0, not \(divisor.shown)", at: site.pointer)
        }
        guard divisor.value.significand != nil else { throw JSONSchemaError("multipleOf has too many digits", at: site.pointer) }
        rule.multipleOf = divisor
        return true
    }

    /// Returns whether the keyword is one about strings.
    func applyText(_ member: JSONValue.Member, to rule: inout TextRule, _ site: Site) throws(JSONSchemaError) -> Bool {
        switch member.key {
        case "minLength": rule.least = try count(member, site)
        case "maxLength": rule.most = try count(member, site)
        case "pattern": rule.pattern = try pattern(try string(member, site), named: "the pattern", site)
        default: return false
        }
        return true
    }
}
