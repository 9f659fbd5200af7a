import Foundation
import JobModel
import Testing

/// Sentences about one thing, in English and in Portuguese, and questions that one of them should come first for. Written for this
/// project: `Resources/topics.json` has 30 of them.
struct Topic: Sendable {
    var name: String
    var passages: [String]
    var queries: [String]

    /// All of them.
    static func all() throws -> [Topic] {
        let url = try #require(Bundle.module.url(forResource: "Resources/topics", withExtension: "json"))
        let topics = try #require(try JSONValue.parse([UInt8](Data(contentsOf: url))).array)
        return try topics.map { topic in
            Topic(
                name: try #require(topic["topic"]?.string), passages: try texts(topic["passages"]), queries: try texts(topic["queries"]))
        }
    }

    private static func texts(_ value: JSONValue?) throws -> [String] {
        try #require(value?.array).map { try #require($0.string) }
    }
}
