import FoundationEssentials

extension JobResult {
    /// The vectors of an `embed` job's texts, in their order; nil for another job.
    public var vectors: [[Float]]? {
        reply["embeddings"]?.array.map { lists in lists.map { ($0.array ?? []).map { Float($0.number ?? 0) } } }
    }

    /// The answer read as a value: as it is for a `String`, else as JSON.
    /// - Throws: `DecodingError` where it is something else.
    public func value<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        let text = text ?? ""
        if let text = text as? Value { return text }
        return try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

extension JSONValue {
    /// The value read as another.
    /// - Throws: `DecodingError` where it is something else.
    public func decode<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    /// Makes the value that an encodable one is written as.
    /// - Throws: `EncodingError`.
    public init(encoding value: some Encodable) throws {
        self = try JSONValue.parse([UInt8](JSONEncoder().encode(value)))
    }
}

extension ModelRequest {
    /// The text of the last message, of a `generate` request; nil where it is no plain text.
    public var prompt: String? { body["messages"]?.array?.last?["content"]?.string }
    /// The texts to turn into vectors, of an `embed` request; none for another.
    public var texts: [String] { kind == .embed ? (body["input"]?.array ?? []).compactMap(\.string) : [] }
}

/// A job that was waited for ended without an answer.
public struct JobFailed: Error, Sendable, CustomStringConvertible {
    /// The job, with the error of each attempt.
    public let job: Job

    /// Says which.
    package init(_ job: Job) { self.job = job }

    /// Why, in a sentence.
    public var description: String {
        let outcome = job.state == .cancelled ? "was cancelled" : "failed"
        return "job \(job.id) \(outcome)" + (job.errors.last.map { ": \($0.message)" } ?? "")
    }
}
