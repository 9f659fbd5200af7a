import JobModel
import VectorMemory

/// How a worker remembers and recalls. Times are in ms.
public struct MemoryConfiguration: Sendable {
    /// What embeds the texts that are remembered.
    public var model: Target
    /// Whether vectors are made at all; without them, memories are found by their words.
    public var makesVectors = true
    /// What is put before the texts of a target that embeds.
    public var prefixes: @Sendable (Target) -> TextPrefixes
    /// How long a memory is kept that does not say itself; 30 days by default.
    public var retention: Int64 = 30 * 86_400_000
    /// The same for single namespaces.
    public var retentions: [String: Int64] = [:]
    /// What a prompt's memories are put into; `{{memories}}` is where they stand.
    public var recallTemplate: String
    /// Memories in a namespace above which a search may miss a neighbour; nil is never.
    public var approximateAbove: Int?
    /// The most bytes that indexes take in memory; 2 GiB by default.
    public var indexBytes = 2 << 30

    /// Makes one; without prefixes, unless told.
    public init(
        model: Target, recallTemplate: String, prefixes: @escaping @Sendable (Target) -> TextPrefixes = { _ in TextPrefixes() }
    ) {
        self.model = model
        self.recallTemplate = recallTemplate
        self.prefixes = prefixes
    }

    /// How long a memory of a namespace is kept that does not say itself.
    func retention(of namespace: String) -> Int64 { retentions[namespace] ?? retention }

    /// How a namespace of so many memories is searched.
    public func scan(of memories: Int) -> VectorScan { approximateAbove.map { memories > $0 } == true ? .approximate : .automatic }
}
