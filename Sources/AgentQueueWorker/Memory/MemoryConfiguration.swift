import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore

/// How a worker stores and recalls memories. Times are in ms.
package struct MemoryConfiguration: Sendable {
    /// The model that embeds new memories.
    package var model: Target
    /// Whether memories have vectors. Without them, memories are found by words.
    package var makesVectors = true
    /// The prefixes that an embedding model expects.
    package var prefixes: @Sendable (Target) -> TextPrefixes
    /// How long a memory is kept that has no time to live of its own; nil, the default, means for ever.
    package var retention: Int64?
    /// The retention of single namespaces.
    package var retentions: [String: Int64?] = [:]
    /// The template for memories in a prompt; `{{memories}}` stands for them.
    package var recallTemplate: String
    /// The size of a namespace above which a search may be approximate; nil means never.
    package var approximateAbove: Int?
    /// The maximum size of indexes in memory, in bytes. Default: 2 GiB.
    package var indexBytes = 2 << 30

    /// Makes a configuration. Default: no prefixes.
    package init(
        model: Target, recallTemplate: String, prefixes: @escaping @Sendable (Target) -> TextPrefixes = { _ in TextPrefixes() }
    ) {
        self.model = model
        self.recallTemplate = recallTemplate
        self.prefixes = prefixes
    }

    /// How long a memory of a namespace is kept that has no time to live of its own; nil means for ever.
    package func retention(of namespace: String) -> Int64? { retentions[namespace] ?? retention }

    /// How a namespace with a number of memories is searched.
    package func scan(of memories: Int) -> VectorScan { approximateAbove.map { memories > $0 } == true ? .approximate : .automatic }
}

/// The prefixes that a model expects before the texts it embeds.
package struct TextPrefixes: Sendable, Equatable {
    /// The prefix of queries, such as `query: `.
    package var query: String
    /// The prefix of texts that are remembered, such as `passage: `.
    package var passage: String

    /// Makes prefixes. Default: none.
    package init(query: String = "", passage: String = "") {
        self.query = query
        self.passage = passage
    }
}
