/// `memory:` — texts remembered with their vectors.
public struct MemorySettings: Equatable, Sendable {
    /// Most memories written in one transaction. Default 100, 1 to 10000.
    public var batchSize = 100
    /// Whether vectors are kept and searched. Default true.
    public var vectors = true
    /// How long a memory is kept when it does not say itself. Default 30 days, 1 min to 36500 days.
    public var retention: Duration = .seconds(30 * 86_400)
    /// Most bytes of memories in the database before `prune` removes the least important. Default 8 GiB, 1 MiB to 1024 TiB.
    public var maxBytes: Int64 = 8 << 30
    /// The target that turns texts into vectors. Default `local-embeddings/multilingual-e5-small`.
    public var embeddingModel = "local-embeddings/multilingual-e5-small"

    /// Every value at its default.
    public init() {}
}
