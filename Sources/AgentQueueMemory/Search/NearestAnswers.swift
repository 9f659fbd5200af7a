import AgentQueueModel
import AgentQueueStore

/// The cached answers to prompts, by nearness: what the semantic cache looks in. Keeps an index of each context that is asked for, and
/// brings it up to date before each answer.
package final class NearestAnswers: Sendable {
    private struct Key: Hashable {
        var context: [UInt8]
        var model: String
    }

    /// The most contexts that are kept: each takes a few pages, however few prompts it has.
    private static let maxContexts = 256

    private let store: QueueStore
    private let shelf: IndexCache<Key, PromptIndex>
    private let threads = SearchThreads("nearest-answers")

    /// Makes one; reads nothing.
    /// - Parameter maxBytes: how much the indexes may take in memory together; the longest unused go first, and the latest stays. 128 MiB
    ///   unless told.
    package init(_ store: QueueStore, maxBytes: Int = 128 << 20) {
        self.store = store
        shelf = IndexCache(maxBytes: maxBytes, maxCount: Self.maxContexts)
    }

    /// The cached answer whose prompt is nearest, if it is near enough; one that has expired never is. Of equally near ones the newer.
    /// - Parameters:
    ///   - context: what else the requests must have in common (`ModelRequest.semanticParts`), 32 bytes.
    ///   - model: what made the vectors; those of others, and of another length, are not compared.
    ///   - vector: of any length but 0, up to `MemoryVector.maxDimension`.
    ///   - threshold: the least cosine.
    /// - Throws: `StoreError`; `VectorError`, if the vector has no direction, or holds what is no number.
    package func nearest(context: [UInt8], model: String, vector: [Float], threshold: Double) async throws -> SemanticMatch? {
        _ = try MemoryVector(vector)
        let key = Key(context: context, model: model)
        return try await threads.run { [store, shelf] in
            try shelf.with([key], make: { _ in PromptIndex() }) { indexes in
                try store.cache.withPrompts(context: context, model: model) { snapshot in
                    try indexes[0].nearest(to: vector, threshold: threshold, snapshot)
                }
            }
        }
    }

    /// How many indexes it keeps, and their bytes.
    package var size: (indexes: Int, bytes: Int) { shelf.size }
}

/// The vectors of cached prompts that may be compared with each other, in memory.
final class PromptIndex: CachedIndex, @unchecked Sendable {
    // @unchecked because of the variables below, which are used inside `exclusively` alone.

    /// What a score may lack of the threshold: the rounding of Float32.
    private static let tolerance = 1e-6

    let turn = SizedLock()
    /// By dimension: a model may have changed its own.
    private var vectors: [Int: VectorIndex] = [:]
    /// All vectors up to this number have been taken in.
    private var number: Int64 = 0
    /// How often a search came upon a vector that is gone.
    private var wasted = 0

    var size: Int { vectors.values.reduce(0) { $0 + $1.bytes } }

    /// The answer to the nearest prompt that is near enough, not gone, and not expired.
    func nearest(to vector: [Float], threshold: Double, _ snapshot: PromptSnapshot) throws -> SemanticMatch? {
        try follow(snapshot)
        guard let index = vectors[vector.count] else { return nil }
        defer { forgetIfMuchIsGone(index) }
        var limit = 8
        var looked = 0
        while true {
            // None expires here: an answer's time may be renewed, so the database is asked.
            let hits = try index.search(vector, limit: limit, metric: .cosine, now: 0) { numbers, body in
                var given = 0
                try snapshot.vectors(numbers) {
                    given += 1
                    try body($0, $1)
                }
                wasted += numbers.count - given
            }.hits
            for hit in hits.dropFirst(looked) {
                guard hit.similarity >= threshold - Self.tolerance else { return nil }
                if let match = try snapshot.answer(hit.number, score: min(1, hit.similarity)) { return match }
                if try !snapshot.has(hit.number) { wasted += 1 }
            }
            guard hits.count == limit else { return nil }
            (looked, limit) = (hits.count, limit * 8)
        }
    }

    /// Takes in what is new. What is gone is found out when a search comes upon it.
    private func follow(_ snapshot: PromptSnapshot) throws {
        let isFirst = number == 0
        var changes: [Int64: Int64] = [:]
        try snapshot.vectors(after: number) { number, entry, bytes in
            self.number = number
            // One that is too long to be indexed is too long to be compared.
            guard let vector = try? MemoryVector(Self.values(bytes)) else { return }
            let index = vectors[vector.dimension] ?? VectorIndex(dimension: vector.dimension)
            vectors[vector.dimension] = index
            // Of equally near ones the smaller id comes first, which is to be the newer entry.
            try index.append(vector, number: number, memoryID: -entry, expiresAt: .max, createdAt: 0, importance: 0)
            if !isFirst { changes[-entry] = number }
        }
        for index in vectors.values { index.forget(changes) }
    }

    /// Where searches have come upon as much as a good part of the index, reading it anew costs less than going on.
    private func forgetIfMuchIsGone(_ index: VectorIndex) {
        guard wasted > 64 + index.count / 4 else { return }
        (vectors, number, wasted) = ([:], 0, 0)
    }

    private static func values(_ bytes: UnsafeRawBufferPointer) -> [Float] {
        (0..<bytes.count / 4).map {
            Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
        }
    }
}
