import AgentQueueMemory
import AgentQueueModel
import AgentQueueStore
import Logging

/// Answers a request with the answer to the nearest earlier prompt of the same target, system prompt and parameters.
///
/// ```swift
/// let lookup = await semantic.match(request, identity: provider.identity) { outcome in … }   // one embedding call
/// if let match = lookup?.match { …settle with match.shownReply… }
/// else { …call, settle with a cache entry…; if let lookup { await semantic.remember(lookup, digest: job.digest) } }
/// ```
///
/// It never fails a job: where the embedding model does not answer, nothing is near, and that is logged once a minute.
package struct SemanticCache: Sendable {
    private let store: QueueStore
    private let answers: NearestAnswers
    private let provider: any ModelProvider
    private let model: Target
    private let prefix: String
    private let threshold: Double
    private let timeout: Int64
    private let maxTextBytes: Int
    private let logger: Logger
    private let complaints: LogThrottle

    /// Makes one.
    /// - Parameters:
    ///   - provider: who embeds.
    ///   - model: what embeds (`memory.embedding_model`).
    ///   - prefix: put before a text that is compared with its like, such as `query: `.
    ///   - threshold: the least cosine that counts as near, 0 to 1 (`cache.semantic.threshold`).
    ///   - timeout: how long an embedding may take, in ms; 10 s unless told.
    ///   - maxTextBytes: longer texts have no near ones, 2,000 unless told: an embedding model may cut a text after 512 tokens, and would
    ///     not see what comes after.
    package init(
        store: QueueStore, provider: any ModelProvider, model: Target, prefix: String, threshold: Double,
        timeout: Int64 = 10_000, maxTextBytes: Int = 2_000, logger: Logger
    ) {
        self.store = store
        answers = NearestAnswers(store)
        self.provider = provider
        self.model = model
        self.prefix = prefix
        self.threshold = threshold
        self.timeout = timeout
        self.maxTextBytes = maxTextBytes
        self.logger = logger
        complaints = LogThrottle(interval: 60_000)
    }

    /// Looks for the answer to a near prompt: one call of the embedding model, and a scan in the store. Nil where nearness says nothing of
    /// the request, or its text could not be embedded.
    /// - Parameters:
    ///   - request: as it is stored, for where it goes now.
    ///   - identity: who would answer it.
    ///   - report: told what the embedding call came to, with its usage and cost, if one was made.
    package func match(
        _ request: ModelRequest, identity: String, report: @Sendable (Outcome) -> Void = { _ in }
    ) async -> SemanticLookup? {
        guard let (context, text) = request.semanticParts(identity: identity), text.utf8.count <= maxTextBytes else { return nil }
        let outcome = await embed(text)
        report(outcome)
        guard case .reply(let reply) = outcome else {
            if case .failure(let failure) = outcome { complain(failure) }
            return nil
        }
        guard let vector = reply.embeddings?.first, reply.embeddings?.count == 1 else {
            complain(ModelFailure(.invalidReply, "not one vector for one text"))
            return nil
        }
        do {
            let match = try await answers.nearest(context: context, model: vectorModel, vector: vector, threshold: threshold)
            return SemanticLookup(match: match, context: context, vector: vector)
        } catch {
            complain(ModelFailure(.invalidReply, "\(error)"))
            return nil
        }
    }

    /// Remembers where the prompt of a paid answer lies, once that is in the cache; without another embedding.
    /// - Parameter digest: the cache key that the answer was kept under, 32 bytes.
    package func remember(_ lookup: SemanticLookup, digest: [UInt8]) async {
        do {
            try await store.cache.rememberVector(digest: digest, context: lookup.context, model: vectorModel, vector: lookup.vector)
        } catch {
            complain(ModelFailure(.retryable, "\(error)"))
        }
    }

    private func embed(_ text: String) async -> Outcome {
        let request = ModelRequest(kind: .embed, target: model, body: ["input": .array([.string(prefix + text)])])
        return await provider.respond(to: [request], CallOptions(timeout: timeout)).first
            ?? .failure(ModelFailure(.invalidReply, "the provider returned no outcome"))
    }

    /// Vectors of texts with another prefix are not compared either.
    private var vectorModel: String { prefix.isEmpty ? model.description : "\(model) \(prefix)" }

    /// A job goes on without: its provider can answer. What stopped the job itself is said elsewhere.
    private func complain(_ failure: ModelFailure) {
        guard failure.failure != .cancelled, complaints.isDue(at: store.clock.boot()) else { return }
        logger.warning(
            "no text can be compared with earlier ones: \(failure.message)",
            metadata: ["model": "\(model)", "class": "\(failure.failure.rawValue)"])
    }
}

/// What a ``SemanticCache`` found out about a request: what answers it, and what to remember of it where nothing does.
package struct SemanticLookup: Sendable, Equatable {
    /// The answer to the nearest earlier prompt; nil where none is near enough.
    package var match: SemanticMatch?
    /// What requests that are compared have in common.
    var context: [UInt8]
    /// Where the request's text lies.
    var vector: [Float]
}

/// Which jobs the answer to a near prompt may serve.
package struct SemanticPolicy: Sendable, Equatable {
    /// What embeds prompts.
    package var model: Target
    /// What is put before each, such as `query: `.
    package var prefix: String
    /// The least cosine that counts as near, 0 to 1.
    package var threshold: Double
    /// Whether it holds for a target that ``exceptions`` does not name.
    package var isUsual: Bool
    /// Whether it holds for a target, `provider/model`.
    package var exceptions: [String: Bool]

    /// Makes one.
    package init(model: Target, prefix: String, threshold: Double, isUsual: Bool, exceptions: [String: Bool]) {
        self.model = model
        self.prefix = prefix
        self.threshold = threshold
        self.isUsual = isUsual
        self.exceptions = exceptions
    }

    /// Whether near prompts may answer a target's jobs.
    func holds(for target: Target) -> Bool { exceptions[target.description] ?? isUsual }
}
