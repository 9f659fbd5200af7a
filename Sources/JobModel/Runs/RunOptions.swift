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
    public var json: JSONValue {
        var members: [JSONValue.Member] = []
        if let queue { members.append(.init("queue", .string(queue))) }
        if let priority { members.append(.init("priority", .integer(Int64(priority)))) }
        if !tags.isEmpty { members.append(.init("tags", .array(tags.map(JSONValue.string)))) }
        if let model { members.append(.init("model", .string(model))) }
        return .object(members)
    }

    /// Reads what ``json`` wrote.
    public init(_ json: JSONValue) {
        queue = json["queue"]?.string
        priority = json["priority"]?.int
        tags = json["tags"]?.array?.compactMap(\.string) ?? []
        model = json["model"]?.string
    }
}
