import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore

/// How a worker remembers and recalls. Times are in ms.
package struct MemoryConfiguration: Sendable {
    /// What embeds the texts that are remembered.
    package var model: Target
    /// Whether vectors are made at all; without them, memories are found by their words.
    package var makesVectors = true
    /// What is put before the texts of a target that embeds.
    package var prefixes: @Sendable (Target) -> TextPrefixes
    /// How long a memory is kept that does not say itself; 30 days by default.
    package var retention: Int64 = 30 * 86_400_000
    /// The same for single namespaces.
    package var retentions: [String: Int64] = [:]
    /// What a prompt's memories are put into; `{{memories}}` is where they stand.
    package var recallTemplate: String
    /// Memories in a namespace above which a search may miss a neighbour; nil is never.
    package var approximateAbove: Int?
    /// The most bytes that indexes take in memory; 2 GiB by default.
    package var indexBytes = 2 << 30

    /// Makes one; without prefixes, unless told.
    package init(
        model: Target, recallTemplate: String, prefixes: @escaping @Sendable (Target) -> TextPrefixes = { _ in TextPrefixes() }
    ) {
        self.model = model
        self.recallTemplate = recallTemplate
        self.prefixes = prefixes
    }

    /// How long a memory of a namespace is kept that does not say itself.
    func retention(of namespace: String) -> Int64 { retentions[namespace] ?? retention }

    /// How a namespace of so many memories is searched.
    package func scan(of memories: Int) -> VectorScan { approximateAbove.map { memories > $0 } == true ? .approximate : .automatic }
}

/// What is put before texts that a model embeds.
package struct TextPrefixes: Sendable, Equatable {
    /// Before a text that looks for others, such as `query: `.
    package var query: String
    /// Before a text that is remembered, such as `passage: `.
    package var passage: String

    /// Makes them; none, unless told.
    package init(query: String = "", passage: String = "") {
        self.query = query
        self.passage = passage
    }
}
