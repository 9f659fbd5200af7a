import AgentQueueModel
import AgentQueueStore

/// A `memorize` job on its way: which of its texts have what they need, and which a call is to be made for.
struct MemorizePlan: Sendable {
    let job: ClaimedJob
    let order: MemoryOrder
    let texts: [String]
    /// The user's own data, which each memory gets.
    let metadata: JSONValue?
    /// The queue it waited in.
    let queue: String
    let batch: String?
    /// Whether its texts are to have vectors.
    let makesVectors: Bool
    /// Under which each text's vector is cached.
    let digests: [[UInt8]]
    /// Who answers.
    let identity: String
    /// Texts that need none, by their places: what is stored already, or what has no use for a vector any more.
    var done: Set<Int> = []
    var vectors: [MemoryVector?]
    /// The places whose vectors a call of this job has brought, in the order of the answer.
    private(set) var brought: [Int] = []

    /// Nil where the stored request is damaged.
    init?(_ job: ClaimedJob, _ context: JobContext?, identity: String, makesVectors: Bool) {
        guard let body = try? JSONValue.parse(job.body), let order = MemoryOrder(body) else { return nil }
        texts = order.texts(of: body)
        if let again = order.again {
            guard again.ids.count == texts.count, again.versions.count == texts.count else { return nil }
        }
        self.job = job
        self.order = order
        self.identity = identity
        // What is embedded again is to have vectors, whatever the configuration says of new texts.
        self.makesVectors = makesVectors || order.again != nil
        metadata = context?.metadata
        queue = context?.queue ?? "default"
        batch = context?.batch
        vectors = Array(repeating: nil, count: texts.count)
        digests =
            self.makesVectors
            ? texts.map { Self.request(of: [order.prefix + $0], to: job.target).digest(identity: identity) } : texts.map { _ in [] }
    }

    /// What makes the vectors.
    var model: VectorModel { VectorModel(target: job.target.description, passagePrefix: order.prefix) }

    /// The texts that a call is to be made for, by their places.
    var open: [Int] { makesVectors ? texts.indices.filter { vectors[$0] == nil && !done.contains($0) } : [] }

    /// What is asked of the model.
    var request: ModelRequest { Self.request(of: open.map { order.prefix + texts[$0] }, to: job.route) }

    private static func request(of inputs: [String], to target: Target) -> ModelRequest {
        ModelRequest(kind: .embed, target: target, body: ["input": .array(inputs.map(JSONValue.string))])
    }

    /// Takes vectors that were made of the same texts.
    mutating func take(_ known: [[UInt8]: MemoryVector]) {
        for place in open { vectors[place] = known[digests[place]] }
    }

    /// Takes the answer to ``request``: a vector for each text that was open. Takes none where one of them is of no use.
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

    // MARK: What it comes to

    /// The memories, as they are now.
    /// - Parameters:
    ///   - now: wall clock, ms.
    ///   - retention: how long a memory is kept that does not say itself, in ms.
    func memories(now: Int64, retention: Int64) -> [NewMemory] {
        let expiresAt: Int64? =
            switch order.expiry {
            case .usual: now + retention
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

    /// The vectors for memories that are there already.
    var spaceVectors: SpaceVectors? {
        guard let again = order.again else { return nil }
        let entries = texts.indices.compactMap { place in
            vectors[place].map { SpaceVectors.Entry(memoryID: again.ids[place], version: again.versions[place], vector: $0) }
        }
        return SpaceVectors(space: again.space, entries: entries)
    }

    /// Two jobs in place of this one, of many texts that are embedded again, which one of them may have failed: so that it fails alone.
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
