import AgentQueueModel
import AgentQueueSettings

/// The names that a template, condition or path can use at one place of a pipeline.
struct Names: Sendable {
    /// The shape of each name's value.
    var shapes: [String: Shape] = [:]
    /// Names that have a meaning elsewhere, with the reason why they have none here.
    var hidden: [String: String] = [:]

    /// Checks that a path leads to a value.
    /// - Returns: the shape of the value.
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

/// Rules for the names of steps, inputs, roles, pipelines and modes.
enum NameText {
    /// Names with a meaning of their own in templates and conditions.
    static let reserved: Set<String> = ["inputs", "item", "number", "count", "position", "round", "previous", "answers"]
    /// Keywords of conditions.
    static let words: Set<String> = ["and", "or", "not", "in", "true", "false", "null"]

    /// Letters, digits, `_` and `-`.
    static func isPart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Whether this is a valid name for a pipeline, a role or a mode.
    static func isName(_ name: String) -> Bool {
        (1...PipelineLimits.maxNameBytes).contains(name.utf8.count) && name.utf8.allSatisfy(isPart)
    }

    /// Whether this is a valid name for a step or an input. Conditions use these, so the first character is a letter or `_`.
    static func isField(_ name: String) -> Bool {
        guard isName(name), let first = name.utf8.first, first != UInt8(ascii: "-") else { return false }
        return !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    }
}

/// A name or path used by a template or a condition.
struct Reference: Sendable, Equatable {
    /// The path, from the outermost name.
    var path: [Expression.Step]
    /// The line within its text, from 1; nil if that has a single line.
    var line: Int?

    /// The outermost name.
    var root: String {
        if case .member(let name)? = path.first { name } else { "" }
    }

    /// The name after the outermost; nil if the whole value or an element is meant.
    var field: String? {
        if path.count > 1, case .member(let name) = path[1] { name } else { nil }
    }
}

/// A condition with the paths that it uses.
struct Condition: Sendable {
    let expression: Expression
    let references: [Reference]

    init(_ expression: Expression) {
        self.expression = expression
        references = Self.paths(of: expression).map { Reference(path: $0, line: nil) }
    }

    private static func paths(of expression: Expression) -> [[Expression.Step]] {
        switch expression {
        case .literal: []
        case .field(let path), .exists(let path): [path]
        case .comparison(let left, _, let right): paths(of: left) + paths(of: right)
        case .isIn(let value, _): paths(of: value)
        case .and(let parts), .or(let parts): parts.flatMap(paths)
        case .not(let part): paths(of: part)
        }
    }
}
