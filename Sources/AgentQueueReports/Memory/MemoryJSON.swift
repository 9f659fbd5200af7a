import AgentQueue
import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore

/// Memories as JSON. Scripts rely on it: keys may be added but never renamed.
package enum MemoryJSON {
    /// Without the vector.
    package static func memory(_ memory: Memory) -> JSONValue { .object(members(of: memory)) }

    /// With the vector, or null, and its model.
    package static func memory(_ stored: MemoryRecord) -> JSONValue {
        let vector = stored.vector.map { VectorText.json($0) } ?? .null
        return .object(members(of: stored.memory) + model(of: stored) + [.init("vector", vector)])
    }

    /// For an export with vectors in a separate file; a null says that the memory has none.
    package static func line(_ stored: MemoryRecord) -> JSONValue {
        .object(members(of: stored.memory) + (stored.vector == nil ? [.init("vector", .null)] : model(of: stored)))
    }

    /// A search result with its scores and ranks.
    package static func hit(_ hit: MemoryHit) -> JSONValue {
        let number = { (value: Double?) in value.map(JSONValue.double) ?? .null }
        let rank = { (value: Int?) in value.map { JSONValue.integer(Int64($0)) } ?? .null }
        let found: [JSONValue.Member] = [
            .init("score", .double(hit.score)), .init("similarity", number(hit.similarity)), .init("vector_rank", rank(hit.vectorRank)),
            .init("word_rank", rank(hit.wordRank)),
        ]
        return .object(found + (members(of: hit.memory)))
    }

    /// How a namespace was searched; times in µs.
    package static func explanation(_ report: NamespaceReport) -> JSONValue {
        let number = { (value: Int?) in value.map { JSONValue.integer(Int64($0)) } ?? .null }
        let scan = report.scan
        return .object([
            .init("namespace", .string(report.namespace)), .init("scan", JobJSON.string(scan?.scan.rawValue)),
            .init("threads", number(scan?.threads)), .init("filter_left", number(report.passed)), .init("scanned", number(scan?.scanned)),
            .init("sketched", number(scan?.sketched)), .init("candidates", number(scan?.candidates)), .init("ranked", number(scan?.ranked)),
            .init("index_new", number(report.followed.new)), .init("index_gone", number(report.followed.gone)),
            .init("index_rebuilt", .bool(report.isRebuilt)), .init("index_us", number(report.microseconds.index)),
            .init("filter_us", number(report.microseconds.filter)), .init("scan_us", number(report.microseconds.scan)),
            .init("words_us", number(report.microseconds.words)),
        ])
    }

    /// - Parameters:
    ///   - retention: How long a memory is kept that does not say so itself; nil means for ever.
    ///   - expiring: The memories that will expire; nil if there are none.
    ///   - done: How many memories the new model has embedded so far.
    package static func namespace(
        _ namespace: MemoryNamespace, retention: Duration?, expiring: MemoryExpiring?, done: Int?
    ) -> JSONValue {
        .object([
            .init("namespace", .string(namespace.name)), .init("memories", .integer(Int64(namespace.memories))),
            .init("bytes", .integer(namespace.bytes)), .init("model", JobJSON.string(namespace.space?.model.target)),
            .init("passage_prefix", JobJSON.string(namespace.space?.model.passagePrefix)),
            .init("dimension", namespace.space.map { .integer(Int64($0.dimension)) } ?? .null),
            .init("retention", retention.map { .double(Double($0.milliseconds) / 1_000) } ?? .null),
            .init("expiring", .integer(Int64(expiring?.memories ?? 0))), .init("next_expiry_at", JobJSON.time(expiring?.next)),
            .init("becomes", JobJSON.string(namespace.building?.model.target)),
            .init("becomes_done", done.map { .integer(Int64($0)) } ?? .null),
        ])
    }

    package static func reembedding(_ state: Reembedding) -> JSONValue {
        .object([
            .init("namespace", .string(state.namespace)), .init("model", .string(state.model)),
            .init("dimension", .integer(Int64(state.dimension))), .init("memories", .integer(Int64(state.memories))),
            .init("done", .integer(Int64(state.done))), .init("enqueued", .integer(Int64(state.enqueued))),
            .init("batch", .string(state.batch)), .init("finished", .bool(state.isFinished)),
        ])
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
