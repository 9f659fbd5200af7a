/// Compiles a schema into a list of nodes, checking that it is well formed.
struct SchemaCompiler {
    /// The maximum nesting depth of schemas.
    static let maxDepth = 200
    /// The maximum number of schemas.
    static let maxNodes = 20_000

    let root: JSONValue
    /// The first is the root schema.
    var nodes: [SchemaNode] = []
    /// The compiled schemas by location.
    var places: [ExactText: Int] = [:]
    var anchors: [ExactText: Int] = [:]
    /// References to be resolved at the end, since their targets may not have been compiled yet.
    var references: [Reference] = []

    /// A `$ref`.
    struct Reference {
        var node: Int
        var text: String
        var pointer: String
    }

    init(_ root: JSONValue) {
        self.root = root
    }

    /// - Throws: `JSONSchemaError`.
    static func compile(_ root: JSONValue) throws(JSONSchemaError) -> [SchemaNode] {
        var compiler = SchemaCompiler(root)
        _ = try compiler.schema(root, at: "", depth: 0)
        try compiler.resolveReferences()
        try compiler.refuseEndlessness()
        return compiler.nodes
    }

    /// Compiles a subschema, and returns its index.
    mutating func schema(_ value: JSONValue, at pointer: String, depth: Int) throws(JSONSchemaError) -> Int {
        guard depth <= Self.maxDepth else { throw JSONSchemaError("schemas are nested deeper than \(Self.maxDepth)", at: pointer) }
        guard nodes.count < Self.maxNodes else { throw JSONSchemaError("there are more than \(Self.maxNodes) schemas", at: pointer) }
        if let place = places[ExactText(pointer)] { return place }
        let place = nodes.count
        nodes.append(SchemaNode())
        places[ExactText(pointer)] = place
        switch value {
        case .bool(let verdict): nodes[place].verdict = verdict
        case .object(let members):
            var node = SchemaNode()
            for member in members { try apply(member, to: &node, Site(place: place, pointer: pointer, depth: depth)) }
            try applyTogether(members, to: &node, Site(place: place, pointer: pointer, depth: depth))
            nodes[place] = node
        default: throw JSONSchemaError("a schema must be an object, true or false, not \(value.kindName)", at: pointer)
        }
        return place
    }

    /// The schema being compiled.
    struct Site {
        var place: Int
        var pointer: String
        var depth: Int

        /// The location of something inside it.
        func pointer(_ parts: String...) -> String {
            parts.reduce(into: pointer) { $0 += "/" + JSONPointer.escaped($1) }
        }
    }

    private mutating func apply(_ member: JSONValue.Member, to node: inout SchemaNode, _ site: Site) throws(JSONSchemaError) {
        switch member.key {
        case "type": node.types = try types(member, site)
        case "nullable": node.isNullable = try bool(member, site)
        case "enum": node.allowed.append(AllowedValues(try elements(member, site)))
        case "const": node.allowed.append(AllowedValues([member.value]))
        case "$ref": references.append(Reference(node: site.place, text: try string(member, site), pointer: site.pointer))
        case "$anchor", "$dynamicAnchor":
            guard anchors.updateValue(site.place, forKey: ExactText(try string(member, site))) == nil else {
                throw JSONSchemaError("\(member.key) \(ShownJSON.name(member.value.string ?? "")) stands twice", at: site.pointer)
            }
        case "$id":
            _ = try string(member, site)
            guard site.pointer.isEmpty else { throw JSONSchemaError("$id is supported only for the schema as a whole", at: site.pointer) }
        case "$dynamicRef", "$recursiveRef", "$recursiveAnchor":
            throw JSONSchemaError("\(member.key) is not supported; use $ref", at: site.pointer)
        case "dependencies":
            throw JSONSchemaError("dependencies is not supported; use dependentRequired or dependentSchemas", at: site.pointer)
        case "$defs", "definitions":
            for definition in try object(member, site) {
                _ = try schema(definition.value, at: site.pointer(member.key, definition.key), depth: site.depth + 1)
            }
        default:
            if try applyNumber(member, to: &node.number, site) { return }
            if try applyText(member, to: &node.text, site) { return }
            if try applyList(member, to: &node.list, site) { return }
            if try applyObject(member, to: &node.object, site) { return }
            // Everything else is an annotation.
            try applyInPlace(member, to: &node, site)
        }
    }

    private mutating func applyInPlace(
        _ member: JSONValue.Member, to node: inout SchemaNode, _ site: Site
    ) throws(JSONSchemaError) {
        switch member.key {
        case "allOf": node.inPlace.append(.all(try schemas(member, site)))
        case "anyOf": node.inPlace.append(.any(try schemas(member, site)))
        case "oneOf": node.inPlace.append(.one(try schemas(member, site)))
        case "not": node.inPlace.append(.not(try schema(member, site)))
        default: break
        }
    }

    /// Handles what depends on several keywords together.
    private mutating func applyTogether(
        _ members: [JSONValue.Member], to node: inout SchemaNode, _ site: Site
    ) throws(JSONSchemaError) {
        var parts: [String: Int] = [:]
        var unevaluated: [JSONValue.Member] = []
        for member in members {
            switch member.key {
            case "if", "then", "else": parts[member.key] = try schema(member, site)
            case "unevaluatedProperties", "unevaluatedItems": unevaluated.append(member)
            default: break
            }
        }
        if let condition = parts["if"] { node.inPlace.append(.condition(if: condition, then: parts["then"], else: parts["else"])) }
        for member in unevaluated { try applyUnevaluated(member, among: members, to: &node, site) }
    }

    /// If no other schema applies to the same value, what is unevaluated is simply the rest.
    private mutating func applyUnevaluated(
        _ member: JSONValue.Member, among members: [JSONValue.Member], to node: inout SchemaNode, _ site: Site
    ) throws(JSONSchemaError) {
        if member.value == .bool(true) { return }
        let isList = member.key == "unevaluatedItems"
        let others = ["$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"] + (isList ? ["contains"] : [])
        if let other = members.first(where: { others.contains($0.key) }) {
            let advice =
                isList ? "describe all elements in one schema, with items" : "list all properties in one schema, with additionalProperties"
            throw JSONSchemaError("\(member.key) beside \(other.key) is not supported; \(advice)", at: site.pointer)
        }
        let rest = try schema(member, site)
        if isList { node.list.rest = node.list.rest ?? rest } else { node.object.rest = node.object.rest ?? rest }
    }
}

extension SchemaCompiler {
    /// Returns whether the keyword applies to objects.
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

extension SchemaCompiler {
    /// Returns whether the keyword applies to lists.
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

extension SchemaCompiler {
    /// Returns whether the keyword applies to numbers.
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

    /// Returns whether the keyword applies to strings.
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
