import AgentQueueModel
import AgentQueueSettings

/// What is known of a value in advance, so that a mistyped field is found before anything runs.
indirect enum Shape: Sendable, Equatable {
    /// Nothing is known.
    case any
    /// A text.
    case text
    /// A number or boolean.
    case scalar
    /// An object; `isOpen` if it may have other fields.
    case object([String: Shape], isOpen: Bool)
    /// A list of values of this shape.
    case list(Shape)

    /// The shape of an input.
    init(_ kind: PipelineInput.Kind) {
        switch kind {
        case .text: self = .text
        case .integer, .number, .boolean: self = .scalar
        case .list: self = .list(.any)
        case .object: self = .any
        }
    }

    /// The shape of a list's elements.
    var element: Shape {
        if case .list(let element) = self { element } else { .any }
    }
}

extension Shape {
    /// The shape of the value at a path inside this one.
    /// - Parameter name: this value's name, for the message.
    /// - Throws: `InvalidText` if there can be no such value.
    func following(_ path: some Collection<Expression.Step>, of name: String) throws(InvalidText) -> Shape {
        var shape = self
        var name = name
        for step in path {
            shape = try shape.following(step, of: name)
            switch step {
            case .member(let member): name += (name.isEmpty ? "" : ".") + member
            case .element(let place): name += "[\(place)]"
            }
        }
        return shape
    }

    private func following(_ step: Expression.Step, of name: String) throws(InvalidText) -> Shape {
        switch (self, step) {
        case (.any, _): return .any
        case (.object(let fields, let isOpen), .member(let member)):
            if let field = fields[member] { return field }
            if isOpen { return .any }
            let hint = Suggestion.hint(for: member, in: fields.keys.sorted())
            throw InvalidText("\(InvalidText.quoted(name)) has no field \(InvalidText.quoted(member))\(hint)")
        case (.list(let element), .element): return element
        case (.list(let element), .member(let member)):
            if Int(member) != nil { return element }
            throw InvalidText("\(InvalidText.quoted(name)) is a list, which has no field \(InvalidText.quoted(member))")
        case (.object, .element(let place)): throw InvalidText("\(InvalidText.quoted(name)) is an object, which has no place \(place)")
        case (.text, _):
            throw InvalidText(
                "\(InvalidText.quoted(name)) is a text, which has no fields (a step's output has some if the step has a schema)")
        case (.scalar, _): throw InvalidText("\(InvalidText.quoted(name)) is a single value, which has no fields")
        }
    }
}

extension Shape {
    /// The shape of values that a JSON Schema allows, as far as that is easy to tell.
    init(schema: JSONValue, depth: Int = 0) {
        let combining = ["$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "not", "patternProperties", "dependentSchemas"]
        guard depth < 32, schema.members?.contains(where: { combining.contains($0.key) }) == false else {
            self = .any
            return
        }
        // A type that may also be null is treated as the type itself.
        let types = (schema["type"]?.array ?? schema["type"].map { [$0] } ?? []).compactMap(\.string).filter { $0 != "null" }
        switch types.count == 1 ? types[0] : "" {
        case "string": self = .text
        case "number", "integer", "boolean": self = .scalar
        case "array": self = .list(schema["items"].map { Shape(schema: $0, depth: depth + 1) } ?? .any)
        case "object":
            var fields: [String: Shape] = [:]
            for member in schema["properties"]?.members ?? [] { fields[member.key] = Shape(schema: member.value, depth: depth + 1) }
            let additional = schema["additionalProperties"]
            self = .object(fields, isOpen: fields.isEmpty || (additional != nil && additional?.bool != false))
        default: self = .any
        }
    }
}
