/// A JSON Schema (draft 2020-12), compiled once, to check any number of values against.
///
/// All that models and their users write is supported: types, `enum`, `const`, the keywords about numbers, strings, lists and objects,
/// `$ref` within the schema (recursive ones included), `$anchor`, `anyOf`, `oneOf`, `allOf`, `not`, `if`, `dependentRequired` and
/// `dependentSchemas`. `format` and unknown keywords are notes to people. What would be needed and is not supported is refused with a
/// sentence: references out of the schema, `$dynamicRef`, an `$id` within it, and `unevaluatedProperties` or `unevaluatedItems` beside
/// schemas for the same value.
///
/// Patterns are those of ECMA-262 without backreferences and lookbehinds, matched code point by code point without backtracking. The
/// work of a check is bounded: a value that would take more is refused.
package struct JSONSchema: Sendable {
    /// How many steps a check may take: a second's work, for a value of a million parts.
    private static let maxWork = 10_000_000

    private let nodes: [SchemaNode]

    /// Compiles a schema.
    /// - Throws: `JSONSchemaError`, naming the place.
    package init(_ value: JSONValue) throws(JSONSchemaError) {
        nodes = try SchemaCompiler.compile(value)
    }

    /// In how many ways a value is not what the schema asks; empty if it is.
    /// - Parameter limit: how many to look for, at least 1.
    package func violations(in value: JSONValue, limit: Int = 10) -> [Violation] {
        violations(in: value, limit: limit, work: Self.maxWork)
    }

    /// As ``violations(in:limit:)``, with another bound on the work.
    func violations(in value: JSONValue, limit: Int = 10, work: Int) -> [Violation] {
        var check = SchemaCheck(nodes, limit: max(1, limit), budget: work)
        return check.violations(in: value)
    }

    /// Whether a value is what the schema asks; quicker than looking for violations.
    package func accepts(_ value: JSONValue) -> Bool {
        var check = SchemaCheck(nodes, limit: 0, budget: Self.maxWork)
        return check.accepts(value)
    }
}

extension JSONSchema {
    /// One way in which a value is not what the schema asks.
    package struct Violation: Sendable, Equatable, CustomStringConvertible {
        /// Where in the value, as a JSON pointer (RFC 6901); empty for the value itself.
        package let pointer: String
        /// What is wrong there, to be read behind the place: `must be a number, not a string`. Quotes the schema and names of members, at
        /// most 60 characters of each and no control character; never a value.
        package let message: String

        /// The whole sentence, without a full stop: `/items/3/price must be a number, not a string`.
        package var description: String {
            pointer.isEmpty ? "the value \(message)" : "\(ShownJSON.clean(pointer, limit: 200)) \(message)"
        }
    }
}

/// Why a value is not a JSON Schema that can be checked against.
package struct JSONSchemaError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where in the schema, as a JSON pointer (RFC 6901); empty for the schema itself.
    package let pointer: String
    /// What is wrong there, as a sentence without a full stop.
    package let problem: String

    init(_ problem: String, at pointer: String) {
        self.problem = problem
        self.pointer = pointer
    }

    /// The message, as users see it.
    package var description: String { pointer.isEmpty ? problem : "at \(ShownJSON.clean(pointer, limit: 200)): \(problem)" }
}

/// Pieces of a value or a schema in a sentence: short, and harmless to a terminal.
enum ShownJSON {
    /// The most characters quoted of anything.
    static let limit = 60

    /// A text without control and formatting characters, cut.
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

    /// A value as JSON, cut; of lists and objects, what kind they are.
    static func value(_ value: JSONValue) -> String {
        switch value {
        case .array, .object: value.kindName
        // Cut first: the value may have megabytes.
        case .string(let text): clean(JSONValue.string(String(text.prefix(limit + 1))).text)
        case .digits(let text): clean(text)
        case .null, .bool, .integer, .double: value.text
        }
    }

    /// Several values, joined by commas; of many, the first.
    static func list(_ values: [JSONValue], most: Int = 8) -> String {
        let shown = values.prefix(most).map { value($0) }.joined(separator: ", ")
        return values.count > most ? "\(shown) and \(values.count - most) others" : shown
    }

    /// `1 member`, `2 members`.
    static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
