/// What a `generate` job does with memories besides its call, as stored in its request under `recall` and `remember`. Neither is sent to a
/// provider.
package struct MemoryUse: Sendable, Equatable {
    /// How many memories to put before its last message; nil means none.
    package var recall: Int?
    /// The namespaces to recall from.
    package var namespaces: [String]
    /// The namespace to remember the answer in; nil means none.
    package var remember: String?
    /// Whether a cached answer to the final request may serve the job and its own answer be cached.
    package var usesCache = true

    /// The most memories a job may recall.
    package static let mostRecalled = 100
    /// The most bytes of memories put into a prompt. The bound lets the worst-case cost of a call be computed before its memories are
    /// known.
    package static let mostBytes = 32 << 10

    private static let members: Set<String> = ["recall", "remember"]

    package init(recall: Int?, namespaces: [String], remember: String?) {
        self.recall = recall
        self.namespaces = namespaces
        self.remember = remember
    }

    /// Reads it from a request's body; nil if the body does not use memories.
    /// - Throws: `DamagedValue` if the body is not what ``json`` wrote.
    package init?(_ body: JSONValue) throws(DamagedValue) {
        let (recall, remember) = (body["recall"], body["remember"])
        guard recall != nil || remember != nil else { return nil }
        self.init(recall: nil, namespaces: [], remember: nil)
        if let recall {
            let recall = try StoredObject(recall, "recall")
            guard let limit = try recall.integer("limit") else { throw recall.damage("limit", "a whole number") }
            guard let names = try recall.strings("namespaces") else { throw recall.damage("namespaces", "a list of strings") }
            (self.recall, namespaces) = (Int(limit), names)
            usesCache = try recall.bool("cache") ?? true
        }
        if let remember {
            let remember = try StoredObject(remember, "remember")
            guard let name = try remember.string("namespace") else { throw remember.damage("namespace", "a string") }
            self.remember = name
            if recall == nil { usesCache = try remember.bool("cache") ?? true }
        }
    }

    /// Its members of a request's body.
    package var json: [JSONValue.Member] {
        let cache: [JSONValue.Member] = usesCache ? [] : [.init("cache", false)]
        var members: [JSONValue.Member] = []
        if let recall {
            let names = JSONValue.array(namespaces.map(JSONValue.string))
            members.append(.init("recall", .object([.init("limit", .integer(Int64(recall))), .init("namespaces", names)] + cache)))
        }
        if let remember { members.append(.init("remember", .object([.init("namespace", .string(remember))] + cache))) }
        return members
    }

    /// The body without these members: what the model is asked.
    package static func removed(from body: JSONValue) -> JSONValue {
        guard let members = body.members else { return body }
        return .object(members.filter { !Self.members.contains($0.key) })
    }
}
