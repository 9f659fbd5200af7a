import JobModel
import Settings

extension Shape {
    /// What stands at a path below this.
    /// - Parameter name: what this is called, for the message.
    /// - Throws: `InvalidText` where there can be nothing.
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
