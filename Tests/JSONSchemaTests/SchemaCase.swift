import JobModel
import ModelCalls
import Testing

/// A schema with values that fit it and values that do not, all as JSON text.
struct SchemaCase: Sendable, CustomTestStringConvertible {
    let schema: String
    let fitting: [String]
    let failing: [String]

    init(_ schema: String, fits fitting: [String], not failing: [String]) {
        self.schema = schema
        self.fitting = fitting
        self.failing = failing
    }

    var testDescription: String { schema }

    func check() throws {
        let schema = try JSONSchema(JSONValue.parse(schema))
        for (texts, fits) in [(fitting, true), (failing, false)] {
            for text in texts {
                let value = try JSONValue.parse(text)
                let violations = schema.violations(in: value)
                #expect(violations.isEmpty == fits, "\(text): \(violations)")
                #expect(schema.accepts(value) == fits, "\(text)")
            }
        }
    }
}
