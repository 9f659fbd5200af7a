import JobModel

extension SchemaCompiler {
    /// Returns whether the keyword is one about objects.
    mutating func applyObject(_ member: JSONValue.Member, to rule: inout ObjectRule, _ site: Site) throws(JSONSchemaError) -> Bool {
        switch member.key {
        case "minProperties": rule.least = try count(member, site)
        case "maxProperties": rule.most = try count(member, site)
        case "required": try require(try strings(member, site), in: &rule)
        case "additionalProperties": rule.rest = try schema(member, site)
        case "propertyNames": rule.names = try schema(member, site)
        case "properties":
            for property in try object(member, site) {
                rule.members[ExactText(property.key), default: .init()].schema = try schema(of: property, in: member, site)
            }
        case "patternProperties":
            for property in try object(member, site) {
                let pattern = try pattern(property.key, named: "the pattern", site)
                rule.patterns.append((pattern, try schema(of: property, in: member, site)))
            }
        case "dependentRequired":
            for property in try object(member, site) {
                rule.companions.append((property.key, try strings(property, site)))
            }
        case "dependentSchemas":
            for property in try object(member, site) {
                rule.dependents.append((property.key, try schema(of: property, in: member, site)))
            }
        default: return false
        }
        return true
    }

    private func require(_ names: [String], in rule: inout ObjectRule) throws(JSONSchemaError) {
        for name in names where rule.members[ExactText(name)]?.requiredPlace == nil {
            rule.members[ExactText(name), default: .init()].requiredPlace = rule.required.count
            rule.required.append(name)
        }
    }

    private mutating func schema(
        of property: JSONValue.Member, in keyword: JSONValue.Member, _ site: Site
    ) throws(JSONSchemaError) -> Int {
        try schema(property.value, at: site.pointer(keyword.key, property.key), depth: site.depth + 1)
    }
}
