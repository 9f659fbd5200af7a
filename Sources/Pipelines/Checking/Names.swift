import JobModel
import Settings

/// What a template, a condition or a path can name at one place of a pipeline.
struct Names: Sendable {
    /// What is known of what can be named.
    var shapes: [String: Shape] = [:]
    /// Names that mean something elsewhere, with why they mean nothing here.
    var hidden: [String: String] = [:]

    /// Checks that a path leads somewhere.
    /// - Returns: what is known of what it leads to.
    func shape(at path: [Expression.Step]) throws(InvalidText) -> Shape {
        guard case .member(let name)? = path.first else { throw InvalidText("expected a name, such as inputs or a step's") }
        guard let shape = shapes[name] else { throw unknown(name) }
        if name == "inputs", path.count == 1 { throw InvalidText("'inputs' is no value (name one of them, such as inputs.task)") }
        if name == "inputs", case .member(let input) = path[1], case .object(let fields, _) = shape, fields[input] == nil {
            throw InvalidText("unknown input \(InvalidText.quoted(input))\(Suggestion.hint(for: input, in: fields.keys.sorted()))")
        }
        return try shape.following(path.dropFirst(), of: name)
    }

    func unknown(_ name: String) -> InvalidText {
        if let reason = hidden[name] { return InvalidText(reason) }
        let kind = shapes.keys.contains { !NameText.reserved.contains($0) } ? "step or name" : "name"
        return InvalidText("unknown \(kind) \(InvalidText.quoted(name))\(Suggestion.hint(for: name, in: shapes.keys.sorted()))")
    }
}
