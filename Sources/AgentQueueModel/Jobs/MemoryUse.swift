/// What a `generate` job does with memories besides its call, as it stands in its request under `recall` and `remember`; no provider sees
/// either.
package struct MemoryUse: Sendable, Equatable {
    /// How many memories are put before its last message; nil is none.
    package var recall: Int?
    /// Where they are looked for.
    package var namespaces: [String]
    /// Where its answer is remembered; nil is nowhere.
    package var remember: String?
    /// Whether a cached answer to what is really asked may serve, and the answer be cached.
    package var usesCache = true

    /// The most memories that a job recalls.
    package static let mostRecalled = 100
    /// The most bytes of memories that are put into a prompt: what a call may cost at worst is known before its memories are.
    package static let mostBytes = 32 << 10

    private static let members: Set<String> = ["recall", "remember"]

    /// Makes one.
    package init(recall: Int?, namespaces: [String], remember: String?) {
        self.recall = recall
        self.namespaces = namespaces
        self.remember = remember
    }

    /// Reads it from a request's body; nil where that has nothing to do with memories.
    package init?(_ body: JSONValue) {
        let (recall, remember) = (body["recall"], body["remember"])
        guard recall != nil || remember != nil else { return nil }
        self.recall = recall?["limit"]?.int
        namespaces = (recall?["namespaces"]?.array ?? []).compactMap(\.string)
        self.remember = remember?["namespace"]?.string
        usesCache = recall?["cache"]?.bool ?? remember?["cache"]?.bool ?? true
    }

    /// What a request's body holds of it.
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

    /// A body without it: what is asked of the model.
    package static func removed(from body: JSONValue) -> JSONValue {
        guard let members = body.members else { return body }
        return .object(members.filter { !Self.members.contains($0.key) })
    }
}
