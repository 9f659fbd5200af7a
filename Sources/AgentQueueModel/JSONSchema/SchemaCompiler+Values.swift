/// Typed access to keywords, with an error for values of the wrong type.
extension SchemaCompiler {
    private func wrong(_ member: JSONValue.Member, _ wanted: String, _ site: Site) -> JSONSchemaError {
        JSONSchemaError("\(member.key) must be \(wanted), not \(member.value.kindName)", at: site.pointer)
    }

    func string(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> String {
        guard let text = member.value.string else { throw wrong(member, "a string", site) }
        return text
    }

    func bool(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> Bool {
        guard let flag = member.value.bool else { throw wrong(member, "true or false", site) }
        return flag
    }

    func object(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> [JSONValue.Member] {
        guard let members = member.value.members else { throw wrong(member, "an object", site) }
        return members
    }

    /// A nonempty list.
    func elements(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> [JSONValue] {
        guard let elements = member.value.array else { throw wrong(member, "a list", site) }
        guard !elements.isEmpty else { throw JSONSchemaError("\(member.key) must not be an empty list", at: site.pointer) }
        return elements
    }

    func strings(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> [String] {
        guard let elements = member.value.array else { throw wrong(member, "a list of strings", site) }
        var texts: [String] = []
        for element in elements {
            guard let text = element.string else {
                throw JSONSchemaError("\(member.key) must be a list of strings, but holds \(element.kindName)", at: site.pointer)
            }
            texts.append(text)
        }
        return texts
    }

    func number(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> NumberRule.Limit {
        guard let value = ExactNumber(member.value) else {
            // In draft 4 it said how minimum or maximum was meant.
            let isOld = member.value.bool != nil && member.key.hasPrefix("exclusive")
            throw wrong(member, isOld ? "a number, the bound itself" : "a number", site)
        }
        return NumberRule.Limit(value: value, shown: ShownJSON.value(member.value))
    }

    /// A nonnegative whole number. One that does not fit in `Int` is larger than any value's count.
    func count(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> Int {
        guard let value = ExactNumber(member.value) else { throw wrong(member, "a whole number", site) }
        guard value.isInteger, !value.isNegative else {
            let shown = ShownJSON.value(member.value)
            throw JSONSchemaError("\(member.key) must be a whole number of at least 0, not \(shown)", at: site.pointer)
        }
        return member.value.int ?? .max
    }

    func pattern(_ text: String, named name: String, _ site: Site) throws(JSONSchemaError) -> SchemaPattern {
        do throws(PatternError) {
            return try SchemaPattern(text)
        } catch {
            let place = error.position.map { " at character \($0)" } ?? ""
            throw JSONSchemaError("\(name) \(ShownJSON.name(text)) cannot be used\(place): \(error.problem)", at: site.pointer)
        }
    }

    func types(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> SchemaTypes {
        let names: [String]
        switch member.value {
        case .string(let name): names = [name]
        case .array(let elements) where !elements.isEmpty: names = try strings(member, site)
        default: throw wrong(member, "a type's name or a list of them", site)
        }
        var types: SchemaTypes = []
        for name in names {
            guard let type = SchemaTypes(name: name) else {
                let known = SchemaTypes.names.joined(separator: ", ")
                let hint = SchemaTypes(name: name.lowercased()) == nil ? "" : "; write '\(name.lowercased())'"
                throw JSONSchemaError("type must be one of \(known), not \(ShownJSON.name(name))\(hint)", at: site.pointer)
            }
            types.insert(type)
        }
        return types
    }

    mutating func schema(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> Int {
        try schema(member.value, at: site.pointer(member.key), depth: site.depth + 1)
    }

    mutating func schemas(_ member: JSONValue.Member, _ site: Site) throws(JSONSchemaError) -> [Int] {
        var places: [Int] = []
        for (index, element) in try elements(member, site).enumerated() {
            places.append(try schema(element, at: site.pointer(member.key, String(index)), depth: site.depth + 1))
        }
        return places
    }
}
