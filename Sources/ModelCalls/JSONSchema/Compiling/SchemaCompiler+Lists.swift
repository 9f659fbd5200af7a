import JobModel

extension SchemaCompiler {
    /// Returns whether the keyword is one about lists.
    mutating func applyList(_ member: JSONValue.Member, to rule: inout ListRule, _ site: Site) throws(JSONSchemaError) -> Bool {
        switch member.key {
        case "minItems": rule.least = try count(member, site)
        case "maxItems": rule.most = try count(member, site)
        case "uniqueItems": rule.isUnique = try bool(member, site)
        case "prefixItems": rule.first = try schemas(member, site)
        case "items":
            guard member.value.array == nil else {
                throw JSONSchemaError("items must be a schema, not a list; for a list of schemas, use prefixItems", at: site.pointer)
            }
            rule.rest = try schema(member, site)
        case "contains": rule.wanted = try schema(member, site)
        case "minContains": rule.leastWanted = try count(member, site)
        case "maxContains": rule.mostWanted = try count(member, site)
        default: return false
        }
        return true
    }
}
