import AgentQueueModel
import Testing

/// What the project stores about its own work is read back whole, or not at all.
@Suite struct StoredRequestTests {
    /// A body with one member of `memory` replaced.
    private func order(_ key: String, _ value: JSONValue) -> JSONValue {
        var order = MemoryOrder(namespace: "n", prefix: "p: ")
        order.again = MemoryOrder.Again(space: 3, ids: [1, 2], versions: [4, 5])
        order.expiry = .after(.seconds(1))
        let body = order.body(of: ["a", "b"])
        let members = (body["memory"]?.members ?? []).filter { $0.key != key } + [.init(key, value)]
        return .object([.init("input", body["input"] ?? []), .init("memory", .object(members))])
    }

    @Test(
        arguments: [
            ("namespace", 1, #""memory.namespace" is a number, not a string"#),
            ("prefix", .null, #""memory.prefix" is null, not a string"#),
            ("key", [], #""memory.key" is a list, not a string"#),
            ("importance", "high", #""memory.importance" is a string, not a number"#),
            ("cache", 0, #""memory.cache" is a number, not a truth value"#),
            ("ttl_ms", "soon", #""memory.ttl_ms" is a string, not "never" or a whole number"#),
            ("ttl_ms", 1.5, #""memory.ttl_ms" is a number, not a whole number"#),
            ("space", "3", #""memory.space" is a string, not a whole number"#),
            ("ids", [1, "2"], #""memory.ids" is not a list of whole numbers alone"#),
            ("ids", [1], #""memory" has 1 ids and 2 versions for 2 texts"#),
            ("versions", 4, #""memory.versions" is a number, not a list of whole numbers"#),
            ("versions", [4, 5, 6], #""memory" has 2 ids and 3 versions for 2 texts"#),
        ] as [(String, JSONValue, String)])
    func aDamagedOrderToRememberIsRefused(key: String, value: JSONValue, message: String) throws {
        let error = #expect(throws: DamagedValue.self) { try MemoryOrder(order(key, value)) }
        #expect(error?.description == message)
    }

    @Test func anOrderThatIsNotThereIsRefused() {
        #expect(throws: DamagedValue(#""memory" is null, not an object"#)) { try MemoryOrder(["input": ["a"]]) }
    }

    @Test(
        arguments: [
            (["recall": []], #""recall" is a list, not an object"#),
            (["recall": ["namespaces": ["a"]]], #""recall.limit" is missing, not a whole number"#),
            (["recall": ["limit": 5]], #""recall.namespaces" is missing, not a list of strings"#),
            (["recall": ["limit": "5", "namespaces": ["a"]]], #""recall.limit" is a string, not a whole number"#),
            (["recall": ["limit": 5, "namespaces": ["a", 1]]], #""recall.namespaces" is not a list of strings alone"#),
            (["recall": ["limit": 5, "namespaces": ["a"], "cache": "no"]], #""recall.cache" is a string, not a truth value"#),
            (["remember": ["namespace": false]], #""remember.namespace" is a truth value, not a string"#),
        ] as [(JSONValue, String)])
    func aDamagedUseOfMemoriesIsRefused(body: JSONValue, message: String) {
        #expect(throws: DamagedValue(message)) { try MemoryUse(body) }
    }

    @Test func optionsOfARunAreReadBackAsTheyWere() throws {
        let options = RunOptions(queue: "q", priority: 3, tags: ["a", "b"], model: "a/b")
        #expect(try RunOptions(stored: options.json) == options)
        #expect(try RunOptions(stored: [:]) == RunOptions() && RunOptions().json == [:])
    }

    @Test(
        arguments: [
            ([], #""options" is a list, not an object"#),
            (["queue": 1], #""options.queue": expected a text"#),
            (["priority": "3"], #""options.priority": expected a whole number"#),
            (["tags": ["a", 1]], nil),
            (["model": []], #""options.model": expected a text"#),
        ] as [(JSONValue, String?)])
    func damagedOptionsOfARunAreRefused(json: JSONValue, message: String?) {
        let error = #expect(throws: DamagedValue.self) { try RunOptions(stored: json) }
        if let message { #expect(error?.description == message) }
    }

    @Test func aJobOfARunKeepsWhatItSaysItself() {
        var own = JobDraft()
        own.model = "its/own"
        RunOptions(queue: "q", priority: 3, tags: ["t"], model: "a/b").complete(&own)
        #expect((own.model, own.queue, own.priority, own.tags) == ("its/own", "q", 3, ["t"]))
        own.maxTokens = 5
        let options = RunOptions(from: &own)
        #expect(options == RunOptions(queue: "q", priority: 3, tags: ["t"], model: "its/own"))
        var rest = JobDraft()
        rest.maxTokens = 5
        #expect(own == rest)
    }
}
