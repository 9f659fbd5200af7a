import AgentQueueModel
import AgentQueueSettings

/// A column of bulk results: a fact about a job, a key of its metadata, or a property of its parsed reply.
package enum ResultColumn: Sendable, Equatable {
    case field(Field)
    case metadata(String)
    case output(String)

    /// What every job has. The order is that of the columns in CSV; columns are only ever added at the end.
    package enum Field: String, CaseIterable, Sendable {
        case id
        case customID = "custom_id"
        case state
        case kind
        case queue
        case model
        case batch
        case tags
        case createdAt = "created_at"
        case finalizedAt = "finalized_at"
        case finishReason = "finish_reason"
        case inputTokens = "input_tokens"
        case outputTokens = "output_tokens"
        case cost = "cost_usd"
        case answeredBy = "answered_by"
        case target
        case latency = "latency_ms"
        case text
        case error
        case errorClass = "error_class"
        case prompt
        /// The parsed value of a reply with a schema.
        case output
    }

    /// Nil if there is no such column.
    package init?(name: String) {
        if let field = Field(rawValue: name) {
            self = .field(field)
        } else if name.hasPrefix("metadata."), name != "metadata." {
            self = .metadata(String(name.dropFirst("metadata.".count)))
        } else if name.hasPrefix("output."), name != "output." {
            self = .output(String(name.dropFirst("output.".count)))
        } else {
            return nil
        }
    }

    package var name: String {
        switch self {
        case .field(let field): field.rawValue
        case .metadata(let key): "metadata.\(key)"
        case .output(let key): "output.\(key)"
        }
    }

    /// The columns of jobs whose metadata and schemas are not known: all facts but `output`, which is the text once more.
    package static let usual = Field.allCases.filter { $0 != .output }.map(ResultColumn.field)

    package func json(_ job: Job) -> JSONValue {
        switch self {
        case .field(let field): Self.json(field, of: job)
        case .metadata(let key): job.metadata?[key] ?? .null
        case .output(let key): job.output?.json[key] ?? .null
        }
    }

    private static func json(_ field: Field, of job: Job) -> JSONValue {
        let result = job.result
        switch field {
        case .id: return .integer(job.id)
        case .customID: return JobJSON.string(job.customID)
        case .state: return .string(job.state.rawValue)
        case .kind: return .string(job.kind.rawValue)
        case .queue: return .string(job.queue)
        case .model: return .string(job.target.description)
        case .batch: return JobJSON.string(job.batch)
        case .tags: return .array(job.tags.map(JSONValue.string))
        case .createdAt: return JobJSON.time(job.createdAt)
        case .finalizedAt: return JobJSON.time(job.finalizedAt)
        case .finishReason: return result?.reply["finish_reason"] ?? .null
        case .inputTokens: return result.map { .integer(Int64($0.usage.inputTokens)) } ?? .null
        case .outputTokens: return result.map { .integer(Int64($0.usage.outputTokens)) } ?? .null
        case .cost: return Money.json(result?.cost)
        case .answeredBy: return JobJSON.string(result?.answeredBy.rawValue)
        case .target: return JobJSON.string(result?.target)
        case .latency: return result.map { .integer($0.latency) } ?? .null
        case .text: return result?.text.map(JSONValue.string) ?? result?.reply["embeddings"] ?? .null
        case .error: return result == nil ? JobJSON.string(job.errors.last?.message) : .null
        case .errorClass: return result == nil ? JobJSON.string(job.errors.last?.failure.rawValue) : .null
        case .prompt: return .string(JobPreview.wholePrompt(job))
        case .output: return job.output?.json ?? .null
        }
    }
}

/// What the columns of parsed replies are named after.
enum JobOutput {
    /// The JSON Schema of a request; nil if it has none.
    static func schema(of request: JSONValue) -> JSONValue? {
        guard let format = request["response_format"], format["type"]?.string == "json_schema" else { return nil }
        return format["json_schema"]?["schema"]
    }

    /// The properties of a schema whose values fit a cell each: those of an object without objects in it. Nil if it is none.
    static func flatProperties(of schema: JSONValue) -> [String]? {
        guard let properties = schema["properties"]?.members, !properties.isEmpty else { return nil }
        let isFlat = properties.allSatisfy { property in
            let value = property.value
            return ["properties", "$ref", "anyOf", "oneOf", "allOf"].allSatisfy { value[$0] == nil } && value["type"]?.string != "object"
        }
        return isFlat ? properties.map(\.key) : nil
    }
}

/// Bulk results as CSV (RFC 4180).
package enum ResultsCSV {
    package static func header(_ columns: [ResultColumn]) -> String { columns.map { field($0.name) }.joined(separator: ",") }

    package static func row(_ job: Job, _ columns: [ResultColumn]) -> String {
        columns.map { field(text($0, of: job)) }.joined(separator: ",")
    }

    private static func text(_ column: ResultColumn, of job: Job) -> String {
        if column == .field(.tags) { return job.tags.joined(separator: " ") }
        let value = column.json(job)
        if let text = value.string { return text }
        return value.isNull ? "" : JSONText.text(value)
    }

    /// Quoted if necessary. Line breaks are kept; other control characters are escaped, because people open these files in a terminal.
    private static func field(_ text: String) -> String {
        let shown = DisplayText.lines(text)
        guard shown.utf8.contains(where: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") }) else {
            return shown
        }
        return "\"\(shown.replacing("\"", with: "\"\""))\""
    }
}

/// The columns that the metadata and schemas of jobs add, in the order in which they are first met.
package struct ResultColumnSurvey {
    /// More columns than a table that anyone reads.
    package static let most = 500

    private var keys: [String] = []
    private var properties: [String] = []
    private var known: Set<ExactText> = []
    private var hasDeepOutput = false

    package init() {}

    /// - Parameter body: The request; nil if it has no schema.
    package mutating func add(metadata: JSONValue?, body: JSONValue?) {
        for member in metadata?.members ?? [] where known.insert(ExactText("metadata.\(member.key)")).inserted { keys.append(member.key) }
        guard let schema = body.flatMap(JobOutput.schema) else { return }
        guard let flat = JobOutput.flatProperties(of: schema) else {
            hasDeepOutput = true
            return
        }
        for property in flat where known.insert(ExactText("output.\(property)")).inserted { properties.append(property) }
    }

    package var isTooWide: Bool { known.count > Self.most }

    package var columns: [ResultColumn] {
        ResultColumn.usual + (hasDeepOutput ? [.field(.output)] : []) + keys.map(ResultColumn.metadata)
            + properties.map(ResultColumn.output)
    }
}
