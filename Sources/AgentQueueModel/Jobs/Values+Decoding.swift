import FoundationEssentials

extension JobResult {
    /// The vectors of an `embed` job's texts, in the same order; nil for any other job.
    public var vectors: [[Float]]? {
        reply["embeddings"]?.array.map { lists in lists.map { ($0.array ?? []).map { Float($0.number ?? 0) } } }
    }

    /// The answer as a typed value: the plain text for `String`, otherwise decoded from the JSON in it.
    /// - Throws: `DecodingError` if the answer does not match the type.
    public func value<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        let text = text ?? ""
        if let text = text as? Value { return text }
        // A text without a value fails in the decoder, which says why.
        let json = (try? ReplyValue(in: text))?.text ?? text
        return try JSONDecoder().decode(type, from: Data(json.utf8))
    }
}

extension JSONValue {
    /// Decodes this value as another type.
    /// - Throws: `DecodingError` if the value does not match the type.
    public func decode<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    /// Encodes a value as JSON.
    /// - Throws: `EncodingError` if the value cannot be encoded.
    public init(encoding value: some Encodable) throws {
        self = try JSONValue.parse([UInt8](JSONEncoder().encode(value)))
    }
}

extension ModelRequest {
    /// The text of a `generate` request's last message; nil if it is not plain text.
    public var prompt: String? { body["messages"]?.array?.last?["content"]?.string }
    /// The texts of an `embed` request; empty for any other kind.
    public var texts: [String] { kind == .embed ? (body["input"]?.array ?? []).compactMap(\.string) : [] }
}

/// A job that the caller waited for ended without an answer.
public struct JobFailed: Error, Sendable, CustomStringConvertible {
    /// The job, including the error of each attempt.
    public let job: Job

    /// Creates an error for a job that has ended without an answer.
    package init(_ job: Job) { self.job = job }

    /// One sentence that says why.
    public var description: String {
        let outcome = job.state == .cancelled ? "was cancelled" : "failed"
        return "job \(job.id) \(outcome)" + (job.errors.last.map { ": \($0.message)" } ?? "")
    }
}
