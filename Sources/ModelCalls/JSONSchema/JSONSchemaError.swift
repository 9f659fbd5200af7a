/// Why a value is not a JSON Schema that can be checked against.
public struct JSONSchemaError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where in the schema, as a JSON pointer (RFC 6901); empty for the schema itself.
    public let pointer: String
    /// What is wrong there, as a sentence without a full stop.
    public let problem: String

    init(_ problem: String, at pointer: String) {
        self.problem = problem
        self.pointer = pointer
    }

    /// The message, as users see it.
    public var description: String { pointer.isEmpty ? problem : "at \(ShownJSON.clean(pointer, limit: 200)): \(problem)" }
}
