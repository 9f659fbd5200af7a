import AgentQueueModel
import Foundation
import Testing

@Suite struct CorpusTests {
    /// Random schemas and values with the verdicts of another implementation (Python's jsonschema 4.26, draft 2020-12). Of 20,000 such
    /// pairs, those of `Resources/corpus.json` were kept; the 16 on which the two disagreed are of two kinds that Python gets wrong:
    /// `$` before a line feed at the end, and multiples of a fraction beyond 53 bits.
    @Test func agreesWithAnotherImplementation() throws {
        let url = try #require(Bundle.module.url(forResource: "Resources/corpus", withExtension: "json"))
        let groups = try #require(try JSONValue.parse([UInt8](Data(contentsOf: url))).array)
        var count = 0
        for group in groups {
            let schema = try JSONSchema(#require(group["schema"]))
            for test in try #require(group["tests"]?.array) {
                let value = try #require(test["data"])
                let isValid = try #require(test["valid"])
                let verdict = isValid == .bool(true)
                let violations = schema.violations(in: value)
                #expect(violations.isEmpty == verdict, "\(group["schema"]?.text ?? "") \(value.text) \(violations)")
                #expect(schema.accepts(value) == verdict)
                count += 1
            }
        }
        #expect(count > 500)
    }
}

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
