/// A JSON Schema (draft 2020-12), compiled once to validate any number of values.
///
/// Supported are types, `enum`, `const`, the keywords for numbers, strings, lists and objects, `$ref` within the schema (also recursive),
/// `$anchor`, `anyOf`, `oneOf`, `allOf`, `not`, `if`, `dependentRequired` and `dependentSchemas`, and OpenAPI's `nullable`. `format` and
/// unknown keywords are ignored as annotations. What is not supported is refused with a message: references outside the schema, `$dynamicRef`, a nested `$id`,
/// and `unevaluatedProperties` or `unevaluatedItems` next to other schemas for the same value.
///
/// Patterns are those of ECMA-262 without backreferences and lookbehinds, matched by code point and without backtracking. The work of a
/// validation is bounded, and a value that would need more is refused.
package struct JSONSchema: Sendable {
    /// The maximum number of steps of a validation: about a second of work, for a value with a million parts.
    private static let maxWork = 10_000_000

    private let nodes: [SchemaNode]

    /// Compiles a schema.
    /// - Throws: `JSONSchemaError`, with the location.
    package init(_ value: JSONValue) throws(JSONSchemaError) {
        nodes = try SchemaCompiler.compile(value)
    }

    /// The violations of the schema in a value; empty if it is valid.
    /// - Parameter limit: the maximum number of violations to find, at least 1.
    package func violations(in value: JSONValue, limit: Int = 10) -> [Violation] {
        violations(in: value, limit: limit, work: Self.maxWork)
    }

    /// Like ``violations(in:limit:)``, with a different limit on the work.
    func violations(in value: JSONValue, limit: Int = 10, work: Int) -> [Violation] {
        var check = SchemaCheck(nodes, limit: max(1, limit), budget: work)
        return check.violations(in: value)
    }

    /// Whether a value is valid; faster than looking for violations.
    package func accepts(_ value: JSONValue) -> Bool {
        var check = SchemaCheck(nodes, limit: 0, budget: Self.maxWork)
        return check.accepts(value)
    }
}

extension JSONSchema {
    /// A violation of a schema.
    package struct Violation: Sendable, Equatable, CustomStringConvertible {
        /// The location in the value, as a JSON pointer (RFC 6901); empty for the value itself.
        package let pointer: String
        /// What is wrong, to be read after the location: `must be a number, not a string`. Quotes the schema and names of members, at most
        /// 60 characters of each and without control characters, but never a value.
        package let message: String

        /// The whole sentence, without a full stop: `/items/3/price must be a number, not a string`.
        package var description: String {
            pointer.isEmpty ? "the value \(message)" : "\(ShownJSON.clean(pointer, limit: 200)) \(message)"
        }
    }
}

/// Why a value is not a supported JSON Schema.
package struct JSONSchemaError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The location in the schema, as a JSON pointer (RFC 6901); empty for the schema itself.
    package let pointer: String
    /// What is wrong, as a sentence without a full stop.
    package let problem: String

    init(_ problem: String, at pointer: String) {
        self.problem = problem
        self.pointer = pointer
    }

    /// The message shown to users.
    package var description: String { pointer.isEmpty ? problem : "at \(ShownJSON.clean(pointer, limit: 200)): \(problem)" }
}

/// Excerpts of a value or schema for messages: short, and safe for a terminal.
enum ShownJSON {
    /// The maximum number of characters quoted.
    static let limit = 60

    /// A text without control and format characters, truncated.
    static func clean(_ text: String, limit: Int = limit) -> String {
        var shown = String.UnicodeScalarView()
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < limit else {
                shown.append("…")
                break
            }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: shown.append("\u{FFFD}")
            default: shown.append(scalar)
            }
        }
        return String(shown)
    }

    /// A member's name, in quotes.
    static func name(_ name: String) -> String { "'\(clean(name))'" }

    /// A value as truncated JSON; for lists and objects, their type.
    static func value(_ value: JSONValue) -> String {
        switch value {
        case .array, .object: value.kindName
        // Truncate first: the value may have megabytes.
        case .string(let text): clean(JSONValue.string(String(text.prefix(limit + 1))).text)
        case .digits(let text): clean(text)
        case .null, .bool, .integer, .double: value.text
        }
    }

    /// Several values, separated by commas; the first ones if there are many.
    static func list(_ values: [JSONValue], most: Int = 8) -> String {
        let shown = values.prefix(most).map { value($0) }.joined(separator: ", ")
        return values.count > most ? "\(shown) and \(values.count - most) others" : shown
    }

    /// `1 member`, `2 members`.
    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
