import AgentQueueModel
import AgentQueueStore

/// The progress of a `memorize` job: which of its texts have their vectors, and which need a call.
struct MemorizePlan: Sendable {
    let job: ClaimedJob
    let order: MemoryOrder
    let texts: [String]
    /// The user's metadata, stored with each memory.
    let metadata: JSONValue?
    /// The queue it was in.
    let queue: String
    let batch: String?
    /// Whether its memories get vectors.
    let makesVectors: Bool
    /// The cache key of each text's vector.
    let digests: [[UInt8]]
    /// The identity of the provider, for cache keys.
    let identity: String
    /// The indexes of texts that need no vector: they are stored already, or no longer have a use for one.
    var done: Set<Int> = []
    var vectors: [MemoryVector?]
    /// The indexes of texts whose vectors came from a call of this job, in the order of the answer.
    private(set) var brought: [Int] = []

    /// - Throws: `JSONError` or `DamagedValue` if the stored request is damaged.
    init(_ job: ClaimedJob, _ context: JobContext?, identity: String, makesVectors: Bool) throws {
        let body = try JSONValue.parse(job.body)
        let order = try MemoryOrder(body)
        self.order = order
        texts = order.texts(of: body)
        self.job = job
        self.identity = identity
        // Re-embedding makes vectors, whatever the configuration says of new memories.
        self.makesVectors = makesVectors || order.again != nil
        metadata = context?.metadata
        queue = context?.queue ?? "default"
        batch = context?.batch
        vectors = Array(repeating: nil, count: texts.count)
        digests =
            self.makesVectors
            ? texts.map { Self.request(of: [order.prefix + $0], to: job.target).digest(identity: identity) } : texts.map { _ in [] }
    }

    /// The model of the vectors.
    var model: VectorModel { VectorModel(target: job.target.description, passagePrefix: order.prefix) }

    /// The indexes of texts that need a call.
    var open: [Int] { makesVectors ? texts.indices.filter { vectors[$0] == nil && !done.contains($0) } : [] }

    /// The request for the open texts.
    var request: ModelRequest { Self.request(of: open.map { order.prefix + texts[$0] }, to: job.route) }

    private static func request(of inputs: [String], to target: Target) -> ModelRequest {
        ModelRequest(kind: .embed, target: target, body: ["input": .array(inputs.map(JSONValue.string))])
    }

    /// Takes vectors of the same texts from other calls.
    mutating func take(_ known: [[UInt8]: MemoryVector]) {
        for place in open { vectors[place] = known[digests[place]] }
    }

    /// Takes the answer to ``request``, a vector for each open text; none if one of them is invalid.
    mutating func take(_ embeddings: [[Float]]) throws(InvalidAnswer) {
        let open = open
        guard embeddings.count == open.count else {
            throw InvalidAnswer(sentence: "\(embeddings.count) vectors came for \(open.count) texts")
        }
        var taken = vectors
        for (place, values) in zip(open, embeddings) {
            do { taken[place] = try MemoryVector(values) } catch { throw InvalidAnswer(sentence: "\(error)") }
        }
        (vectors, brought) = (taken, open)
    }

    // MARK: Results

    /// The memories with the vectors known so far.
    /// - Parameters:
    ///   - now: the wall clock, in ms.
    ///   - retention: how long a memory is kept that has no time to live of its own, in ms; nil means for ever.
    func memories(now: Int64, retention: Int64?) -> [NewMemory] {
        let expiresAt: Int64? =
            switch order.expiry {
            case .usual: retention.map { now + $0 }
            case .after(let span): now + span.milliseconds
            case .never: nil
            }
        return texts.indices.map { place in
            NewMemory(
                texts[place], key: order.key, metadata: metadata, importance: order.importance, createdAt: now, expiresAt: expiresAt,
                vector: vectors[place]
            )
        }
    }

    /// The new vectors of memories that are being re-embedded.
    var spaceVectors: SpaceVectors? {
        guard let again = order.again else { return nil }
        let entries = texts.indices.compactMap { place in
            vectors[place].map { SpaceVectors.Entry(memoryID: again.ids[place], version: again.versions[place], vector: $0) }
        }
        return SpaceVectors(space: again.space, entries: entries)
    }

    /// Two jobs that replace a failed re-embedding job of many texts, so that a bad text fails alone in the end.
    var halves: [NewJob] {
        guard let again = order.again, open.count > 1 else { return [] }
        let half = (open.count + 1) / 2
        return [Array(open[..<half]), Array(open[half...])].map { places in
            var order = order
            order.again = MemoryOrder.Again(
                space: again.space, ids: places.map { again.ids[$0] }, versions: places.map { again.versions[$0] })
            var next = NewJob(order, texts: places.map { texts[$0] }, target: job.target, identity: identity)
            next.queue = queue
            next.priority = job.priority
            next.batch = batch
            return next
        }
    }
}
