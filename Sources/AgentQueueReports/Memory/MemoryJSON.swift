import AgentQueue
import AgentQueueModel
import AgentQueueStore

/// A memory in the shape that scripts rely on: keys may be added, never renamed.
package enum MemoryJSON {
    /// The memory, without its vector.
    package static func memory(_ memory: Memory) -> JSONValue { .object(members(of: memory)) }

    /// The memory with its vector, null where it has none, and what made that.
    package static func memory(_ stored: MemoryRecord) -> JSONValue {
        let vector = stored.vector.map { VectorText.json($0) } ?? .null
        return .object(members(of: stored.memory) + model(of: stored) + [.init("vector", vector)])
    }

    /// The memory for an export whose vectors stand in a file of their own: a null says that there is none.
    package static func line(_ stored: MemoryRecord) -> JSONValue {
        .object(members(of: stored.memory) + (stored.vector == nil ? [.init("vector", .null)] : model(of: stored)))
    }

    private static func members(of memory: Memory) -> [JSONValue.Member] {
        [
            .init("id", .integer(memory.id)), .init("namespace", .string(memory.namespace)), .init("key", JobJSON.string(memory.key)),
            .init("text", .string(memory.text)), .init("metadata", memory.metadata ?? .null),
            .init("importance", .double(memory.importance)), .init("created_at", JobJSON.time(memory.createdAt)),
            .init("recalled_at", JobJSON.time(memory.recalledAt)), .init("expires_at", JobJSON.time(memory.expiresAt)),
        ]
    }

    private static func model(of stored: MemoryRecord) -> [JSONValue.Member] {
        guard let model = stored.model else { return [] }
        return [.init("model", .string(model.target)), .init("passage_prefix", .string(model.passagePrefix))]
    }
}
