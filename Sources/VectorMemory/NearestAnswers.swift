import QueueStore

/// The cached answers to prompts, by nearness: what the semantic cache looks in. Keeps an index of each context that is asked for, and
/// brings it up to date before each answer.
public final class NearestAnswers: Sendable {
    private struct Key: Hashable {
        var context: [UInt8]
        var model: String
    }

    /// The most contexts that are kept: each takes a few pages, however few prompts it has.
    private static let maxContexts = 256

    private let store: QueueStore
    private let shelf: Shelf<Key, PromptIndex>
    private let threads = SearchThreads("nearest-answers")

    /// Makes one; reads nothing.
    /// - Parameter maxBytes: how much the indexes may take in memory together; the longest unused go first, and the latest stays. 128 MiB
    ///   unless told.
    public init(_ store: QueueStore, maxBytes: Int = 128 << 20) {
        self.store = store
        shelf = Shelf(maxBytes: maxBytes, maxCount: Self.maxContexts)
    }

    /// The cached answer whose prompt is nearest, if it is near enough; one that has expired never is. Of equally near ones the newer.
    /// - Parameters:
    ///   - context: what else the requests must have in common (`ModelRequest.semanticParts`), 32 bytes.
    ///   - model: what made the vectors; those of others, and of another length, are not compared.
    ///   - vector: of any length but 0, up to `MemoryVector.maxDimension`.
    ///   - threshold: the least cosine.
    /// - Throws: `StoreError`; `VectorError`, if the vector has no direction, or holds what is no number.
    public func nearest(context: [UInt8], model: String, vector: [Float], threshold: Double) async throws -> SemanticMatch? {
        _ = try MemoryVector(vector)
        let key = Key(context: context, model: model)
        return try await threads.run { [store, shelf] in
            try shelf.with([key], make: { _ in PromptIndex() }) { indexes in
                try store.readPrompts(context: context, model: model) { snapshot in
                    try indexes[0].nearest(to: vector, threshold: threshold, snapshot)
                }
            }
        }
    }

    /// How many indexes it keeps, and their bytes.
    public var size: (indexes: Int, bytes: Int) { shelf.size }
}
