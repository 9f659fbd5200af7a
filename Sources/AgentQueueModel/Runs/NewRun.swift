/// A run as it begins.
package struct NewRun: Sendable, Equatable {
    /// What was asked for: a pipeline's or a mode's name.
    package var name: String
    /// SHA-256 of the definition.
    package var digest: [UInt8]
    /// The pipeline with its roles, its mode's settings and its schemas, JSON.
    package var definition: String
    /// An object, checked.
    package var inputs: JSONValue
    /// What holds for all its jobs: an object.
    package var options: JSONValue
    /// Refuses a second run of the same key, until this one has failed, or is cancelled or pruned.
    package var uniqueKey: String?
    /// Who is to be told of its end: names of notifications of the configuration.
    package var onFinish: [String] = []
    /// The first calls; all that ``RunAdvance`` says but run and version, which are not known yet.
    package var first: RunAdvance

    /// Makes a run that begins with nothing.
    package init(name: String, digest: [UInt8], definition: String, inputs: JSONValue, options: JSONValue) {
        self.name = name
        self.digest = digest
        self.definition = definition
        self.inputs = inputs
        self.options = options
        first = RunAdvance(run: 0, version: 1)
    }
}

/// What holds for all jobs of a run.
public struct RunOptions: Sendable, Equatable {
    /// The queue they wait in; nil is `default`.
    public var queue: String?
    /// 1 to 9, lower runs first; nil is 5.
    public var priority: Int?
    /// Words to find them by.
    public var tags: [String]
    /// The target of calls that name none, before the configuration's default.
    public var model: String?

    /// Makes options that say nothing.
    public init(queue: String? = nil, priority: Int? = nil, tags: [String] = [], model: String? = nil) {
        self.queue = queue
        self.priority = priority
        self.tags = tags
        self.model = model
    }

    /// As a run keeps them.
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

/// What became of a run that was to begin.
public struct StartedRun: Sendable, Equatable {
    /// Its id, or that of the run that has its unique key.
    public var id: Int64
    /// The run that already had the unique key; nil where this one is new.
    public var duplicateOf: Int64?

    /// Makes one.
    package init(id: Int64, duplicateOf: Int64? = nil) {
        self.id = id
        self.duplicateOf = duplicateOf
    }
}
