/// A run that is about to start.
package struct NewRun: Sendable, Equatable {
    /// The name of the pipeline or mode that was asked for.
    package var name: String
    /// SHA-256 of the definition.
    package var digest: [UInt8]
    /// The pipeline with its roles, its mode's settings and its schemas, as JSON.
    package var definition: String
    /// The checked inputs, as an object.
    package var inputs: JSONValue
    /// The options of all its jobs, as an object.
    package var options: JSONValue
    /// A second run with the same key is refused until this one has failed, or is cancelled or pruned.
    package var uniqueKey: String?
    /// The configured notifications, by name, to send when it ends.
    package var onFinish: [String] = []
    /// The configured notifications, by name, to send if it fails.
    package var onFailure: [String] = []
    /// The first calls. Its run and version are not known yet.
    package var first: RunAdvance

    package init(name: String, digest: [UInt8], definition: String, inputs: JSONValue, options: JSONValue) {
        self.name = name
        self.digest = digest
        self.definition = definition
        self.inputs = inputs
        self.options = options
        first = RunAdvance(run: 0, version: 1)
    }
}

/// Options for all jobs of a run.
public struct RunOptions: Sendable, Equatable {
    /// The queue the jobs wait in; nil means `default`.
    public var queue: String?
    /// 1 to 9; lower runs first. Nil means 5.
    public var priority: Int?
    /// Tags to find the jobs by.
    public var tags: [String]
    /// The target, `provider/model`, of calls that name none; it takes precedence over the configuration's default.
    public var model: String?

    /// Creates options. Each is unset by default.
    public init(queue: String? = nil, priority: Int? = nil, tags: [String] = [], model: String? = nil) {
        self.queue = queue
        self.priority = priority
        self.tags = tags
        self.model = model
    }

    /// The form in which a run stores them.
    package var json: JSONValue {
        var members: [JSONValue.Member] = []
        if let queue { members.append(.init("queue", .string(queue))) }
        if let priority { members.append(.init("priority", .integer(Int64(priority)))) }
        if !tags.isEmpty { members.append(.init("tags", .array(tags.map(JSONValue.string)))) }
        if let model { members.append(.init("model", .string(model))) }
        return .object(members)
    }

    /// Reads what ``json`` wrote.
    package init(_ json: JSONValue) {
        queue = json["queue"]?.string
        priority = json["priority"]?.int
        tags = json["tags"]?.array?.compactMap(\.string) ?? []
        model = json["model"]?.string
    }
}

/// The receipt for a started run.
public struct StartedRun: Sendable, Equatable {
    /// The id of the run, or of the existing run with the same unique key.
    public var id: Int64
    /// The run that already had the unique key; nil if this one is new.
    public var duplicateOf: Int64?

    package init(id: Int64, duplicateOf: Int64? = nil) {
        self.id = id
        self.duplicateOf = duplicateOf
    }
}
