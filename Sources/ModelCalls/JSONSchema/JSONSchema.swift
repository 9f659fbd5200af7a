import JobModel

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
public struct JSONSchema: Sendable {
    /// How many steps a check may take: a second's work, for a value of a million parts.
    private static let maxWork = 10_000_000

    private let nodes: [SchemaNode]

    /// Compiles a schema.
    /// - Throws: `JSONSchemaError`, naming the place.
    public init(_ value: JSONValue) throws(JSONSchemaError) {
        nodes = try SchemaCompiler.compile(value)
    }

    /// In how many ways a value is not what the schema asks; empty if it is.
    /// - Parameter limit: how many to look for, at least 1.
    public func violations(in value: JSONValue, limit: Int = 10) -> [Violation] {
        violations(in: value, limit: limit, work: Self.maxWork)
    }

    /// As ``violations(in:limit:)``, with another bound on the work.
    func violations(in value: JSONValue, limit: Int = 10, work: Int) -> [Violation] {
        var check = SchemaCheck(nodes, limit: max(1, limit), budget: work)
        return check.violations(in: value)
    }

    /// Whether a value is what the schema asks; quicker than looking for violations.
    public func accepts(_ value: JSONValue) -> Bool {
        var check = SchemaCheck(nodes, limit: 0, budget: Self.maxWork)
        return check.accepts(value)
    }
}
