import AgentQueueModel
import AgentQueueStore

/// Turns texts into vectors with one configured model, immediately and not through jobs. Texts share calls, answers are cached, and every
/// call is charged.
///
/// The vectors of queries are cached, since queries repeat. The vectors of passages are not, since they are about to be stored as memories;
/// only when some texts fail are the vectors of the others cached for the next try.
package struct Embedder: Sendable {
    /// The model, with the prefix of passages.
    package let model: VectorModel

    let store: QueueStore
    let provider: any ModelProvider
    let target: Target
    let pricing: CallPricing
    let timeout: Int64
    private let queryPrefix: String
    private let cacheTimeToLive: Int64?
    private let tries: Int
    private let backoff: Backoff

    /// The longest `Retry-After` that is waited for, in ms. After a longer one, the failure is thrown.
    static let longestWait: Int64 = 60_000

    /// Makes one.
    /// - Parameters:
    ///   - provider: the provider of the model.
    ///   - target: the embedding model.
    ///   - queryPrefix: put before queries, such as `query: `.
    ///   - passagePrefix: put before texts that are remembered, such as `passage: `.
    ///   - prices: what calls cost.
    ///   - timeout: how long a call may take, in ms.
    ///   - cacheTimeToLive: how long answers are cached, in ms; nil bypasses the cache. Default: 30 minutes.
    ///   - tries: how often a call is tried that fails temporarily. Default: 4.
    ///   - backoff: the waits between tries. Default: 0.1 to 20 seconds.
    package init(
        store: QueueStore, provider: any ModelProvider, target: Target, queryPrefix: String, passagePrefix: String, prices: ModelPrices,
        timeout: Int64, cacheTimeToLive: Int64? = 1_800_000, tries: Int = 4, backoff: Backoff = Backoff(base: 1_000, cap: 20_000)
    ) {
        self.store = store
        self.provider = provider
        self.target = target
        pricing = CallPricing(prices: prices)
        self.timeout = timeout
        self.queryPrefix = queryPrefix
        self.cacheTimeToLive = cacheTimeToLive
        self.tries = tries
        self.backoff = backoff
        model = VectorModel(target: target.description, passagePrefix: passagePrefix)
    }

    /// The vectors of texts, in their order. Temporary failures and rate limits are retried a few times.
    /// - Parameter job: the job that the calls are charged to; nil charges them to no job.
    /// - Throws: `ModelFailure` of the first text that could not be embedded; the vectors of the others are cached. `StoreError`,
    ///   `CancellationError`.
    package func embed(_ texts: [String], as purpose: TextPurpose, besides job: ClaimedJob? = nil) async throws -> [[Float]] {
        let prefix = purpose == .query ? queryPrefix : model.passagePrefix
        var texts = EmbeddingTexts(texts, prefix: prefix, target: target, identity: provider.identity)
        if cacheTimeToLive != nil { texts.take(try store.cache.replies(texts.requests.map(\.digest))) }
        do {
            let capacity = max(1, provider.capabilities.maxEmbedInputs)
            let open = texts.open
            for start in stride(from: 0, to: open.count, by: capacity) {
                try await call(Array(open[start..<min(start + capacity, open.count)]), &texts, besides: job)
            }
        } catch {
            // The next try need not pay for these again.
            try await keep(texts)
            throw error
        }
        if purpose == .query { try await keep(texts) }
        return texts.vectors
    }

    // MARK: Calling

    /// Calls for texts until each has its vector. If a call fails for good, its halves are called for, so that only the bad text fails.
    private func call(_ places: [Int], _ texts: inout EmbeddingTexts, besides job: ClaimedJob?) async throws {
        var left = places
        for number in 1... {
            try Task.checkCancellation()
            let outcomes = await provider.respond(to: left.map { texts.requests[$0].request }, CallOptions(timeout: timeout))
            let answers = zip(left, outcomes).map { ($0, checked($1)) }
            try await EmbeddingCharges(answers.map(\.1), of: self, bytes: left.reduce(0) { $0 + texts.requests[$1].text.utf8.count })
                .write(besides: job)
            var failure: ModelFailure?
            for (place, outcome) in answers {
                switch outcome {
                case .reply(let reply): texts.set(reply, at: place)
                case .failure(let own): failure = failure ?? own
                }
            }
            left = left.filter { texts.isOpen($0) }
            guard !left.isEmpty else { return }
            try Task.checkCancellation()
            let reason = failure ?? ModelFailure(.invalidReply, "the provider returned too few outcomes")
            switch reason.failure {
            case .unreachable, .rateLimited, .overloaded, .retryable, .timedOut:
                guard number < tries, reason.retryAfter ?? 0 <= Self.longestWait else { throw reason }
                var generator = SystemRandomNumberGenerator()
                let wait = max(reason.retryAfter ?? 0, backoff.delay(afterAttempt: number, using: &generator))
                try await Task.sleep(for: .milliseconds(wait))
            case .permanent, .refused, .invalidReply:
                guard left.count > 1 else { throw reason }
                let half = (left.count + 1) / 2
                try await call(Array(left[..<half]), &texts, besides: job)
                return try await call(Array(left[half...]), &texts, besides: job)
            default:
                throw reason
            }
        }
    }

    private func checked(_ outcome: Outcome) -> Outcome {
        guard case .reply(let reply) = outcome, reply.embeddings?.count != 1 else { return outcome }
        return .failure(
            ModelFailure(
                .invalidReply, "not one vector for one text", requestID: reply.requestID, usage: reply.usage, cost: reply.cost,
                calls: reply.calls, limits: reply.limits))
    }

    // MARK: Keeping

    private func keep(_ texts: EmbeddingTexts) async throws {
        guard let cacheTimeToLive else { return }
        let now = store.clock.wall()
        let answers = texts.answered.map { digest, reply in
            CacheableAnswer(
                entry: CacheWrite(digest: digest, timeToLive: cacheTimeToLive, createdAt: now),
                result: JobResult(
                    reply: reply.json, usage: reply.usage, cost: cost(of: reply.usage, said: reply.cost), answeredBy: .provider,
                    target: target.description, latency: 0))
        }
        for start in stride(from: 0, to: answers.count, by: 100) {
            try await store.cache.keep(Array(answers[start..<min(start + 100, answers.count)]))
        }
    }

    /// The cost of a call in US dollars, as the provider reports it or by the price of its tokens; nil if it is unknown.
    func cost(of usage: Usage, said: Double?) -> Double? { pricing.cost(of: usage, said: said, target: target) }
}

/// What a text is embedded for. Some models expect a prefix that tells.
package enum TextPurpose: Sendable, Equatable {
    /// It is stored, and found by queries.
    case passage
    /// It searches for passages.
    case query
}

/// Texts and the vectors found for them so far. Each distinct text is requested once.
struct EmbeddingTexts {
    /// The request for one distinct text.
    struct Request {
        /// The text with its prefix.
        var text: String
        var request: ModelRequest
        /// The cache key.
        var digest: [UInt8]
    }

    /// The distinct texts.
    let requests: [Request]
    /// For each given text, its index among the distinct ones.
    private let places: [Int]
    private var found: [[Float]?]
    private var replies: [Int: ModelReply] = [:]

    init(_ texts: [String], prefix: String, target: Target, identity: String) {
        var requests: [Request] = []
        // Compared by digest: Swift considers texts equal that differ in bytes but are canonically equivalent.
        var known: [[UInt8]: Int] = [:]
        places = texts.map { text in
            let request = ModelRequest(kind: .embed, target: target, body: ["input": .array([.string(prefix + text)])])
            let digest = request.digest(identity: identity)
            if let place = known[digest] { return place }
            requests.append(Request(text: prefix + text, request: request, digest: digest))
            known[digest] = requests.count - 1
            return requests.count - 1
        }
        self.requests = requests
        found = Array(repeating: nil, count: requests.count)
    }

    /// The indexes of texts without a vector.
    var open: [Int] { found.indices.filter { found[$0] == nil } }

    func isOpen(_ place: Int) -> Bool { found[place] == nil }

    /// Takes vectors from the cache.
    mutating func take(_ cached: [[UInt8]: CachedReply]) {
        for place in requests.indices {
            guard let reply = cached[requests[place].digest], let vector = reply.vectors?.first else { continue }
            found[place] = vector
        }
    }

    /// Takes the answer for one text.
    mutating func set(_ reply: ModelReply, at place: Int) {
        found[place] = reply.embeddings?.first
        replies[place] = reply
    }

    /// The answers that were paid for, by cache key.
    var answered: [(digest: [UInt8], reply: ModelReply)] { replies.sorted { $0.key < $1.key }.map { (requests[$0.key].digest, $0.value) } }

    /// The vectors of all given texts, in their order; empty where there is none.
    var vectors: [[Float]] { places.map { found[$0] ?? [] } }
}

/// The charges of calls to an embedding model: one for what was answered, and one for what failed.
struct EmbeddingCharges {
    private let embedder: Embedder
    private var reports: [(report: CallReport, message: String)] = []

    /// - Parameters:
    ///   - outcomes: one for each text; each call is counted in one of its outcomes.
    ///   - bytes: the total length of the texts, to estimate tokens if the provider does not report them.
    init(_ outcomes: [Outcome], of embedder: Embedder, bytes: Int) {
        self.embedder = embedder
        var replies: [ModelReply] = []
        var failures: [ModelFailure] = []
        for outcome in outcomes {
            switch outcome {
            case .reply(let reply): replies.append(reply)
            case .failure(let failure): failures.append(failure)
            }
        }
        if !replies.isEmpty { reports.append((report(of: replies, bytes: bytes), "")) }
        if let first = failures.first { reports.append((report(of: failures, first, bytes: bytes), first.message)) }
    }

    /// Records the charges.
    func write(besides job: ClaimedJob?) async throws {
        for (report, message) in reports {
            if let job {
                try await embedder.store.claims.charge(report, message, besides: job)
            } else {
                try await embedder.store.claims.charge(report, message, kind: .embed)
            }
        }
    }

    /// Nil if one is unknown.
    private static func sum(_ costs: [Double?]) -> Double? {
        costs.reduce(0) { sum, cost in sum.flatMap { sum in cost.map { sum + $0 } } }
    }

    private func report(of replies: [ModelReply], bytes: Int) -> CallReport {
        let said = replies.compactMap(\.cost)
        let whole = ModelReply(
            usage: replies.reduce(Usage()) { $0 + $1.usage },
            cost: said.isEmpty ? nil : Self.sum(replies.map { embedder.cost(of: $0.usage, said: $0.cost) }),
            calls: replies.reduce(0) { $0 + $1.calls }, limits: replies.lazy.compactMap(\.limits).first)
        let pricing = embedder.pricing
        return pricing.report(pricing.counted(whole, target: embedder.target, bytes: bytes), target: embedder.target)
    }

    private func report(of failures: [ModelFailure], _ first: ModelFailure, bytes: Int) -> CallReport {
        var whole = first
        whole.usage = failures.reduce(Usage()) { $0 + $1.usage }
        let isCharged = failures.contains { $0.calls > 0 || $0.usage != Usage() || $0.cost != nil }
        whole.cost = isCharged ? Self.sum(failures.map { embedder.cost(of: $0.usage, said: $0.cost) }) : nil
        whole.calls = failures.reduce(0) { $0 + $1.calls }
        whole.limits = failures.lazy.compactMap(\.limits).first
        whole.isMaybePaid = failures.contains(where: \.isMaybePaid)
        whole.wasSent = failures.contains(where: \.wasSent)
        whole.partialText = nil
        return embedder.pricing.report(
            whole, target: embedder.target, worst: embedder.cost(of: Usage(inputTokens: bytes), said: nil))
    }
}

extension CachedReply {
    /// The vectors of an answer to an `embed` request; nil if there are none, or the entry is damaged: then the texts are embedded again,
    /// which replaces it.
    var vectors: [[Float]]? {
        guard let lists = (try? JSONValue.parse(reply))?["embeddings"]?.array else { return nil }
        var vectors: [[Float]] = []
        for list in lists {
            guard let values = list.array else { return nil }
            let vector = values.compactMap { $0.number.map(Float.init) }
            guard vector.count == values.count, !vector.isEmpty else { return nil }
            vectors.append(vector)
        }
        return vectors
    }
}
