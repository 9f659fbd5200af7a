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
    package init?(_ body: JSONValue) {
        let (recall, remember) = (body["recall"], body["remember"])
        guard recall != nil || remember != nil else { return nil }
        self.recall = recall?["limit"]?.int
        namespaces = (recall?["namespaces"]?.array ?? []).compactMap(\.string)
        self.remember = remember?["namespace"]?.string
        usesCache = recall?["cache"]?.bool ?? remember?["cache"]?.bool ?? true
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
