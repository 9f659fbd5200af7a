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
/// It never fails a job. If the embedding model or the store fails, there is no match, and the failure is logged at most once a minute.
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
    ///   - provider: the provider of the embedding model.
    ///   - model: the embedding model (`memory.embedding_model`).
    ///   - prefix: put before texts that are compared with each other, such as `query: `.
    ///   - threshold: the minimum cosine of a match, 0 to 1 (`cache.semantic.threshold`).
    ///   - timeout: how long an embedding may take, in ms. Default: 10 seconds.
    ///   - maxTextBytes: longer texts have no matches, since an embedding model may truncate a text after 512 tokens. Default: 2,000.
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

    /// Searches for the answer to a similar prompt, with one call of the embedding model and a scan of the store. Returns nil if the request
    /// cannot be compared with others, or its text could not be embedded.
    /// - Parameters:
    ///   - request: the stored request, for its current target.
    ///   - identity: the identity of the target's provider.
    ///   - report: receives the outcome of the embedding call, if one was made.
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

    /// Stores the vector of a prompt whose answer is in the cache now.
    /// - Parameter digest: the cache key of the answer, 32 bytes.
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

    /// The name of the vectors' space: vectors of texts with another prefix are not compared.
    private var vectorModel: String { prefix.isEmpty ? model.description : "\(model) \(prefix)" }

    /// Logs a failure. The job's own provider can still answer. Cancellations are logged elsewhere.
    private func complain(_ failure: ModelFailure) {
        guard failure.failure != .cancelled, complaints.isDue(at: store.clock.boot()) else { return }
        logger.warning(
            "no text can be compared with earlier ones: \(failure.message)",
            metadata: ["model": "\(model)", "class": "\(failure.failure.rawValue)"])
    }
}

/// The result of a search in a ``SemanticCache``: a match, and what to store with the request's own answer.
package struct SemanticLookup: Sendable, Equatable {
    /// The answer to the most similar earlier prompt; nil if none is similar enough.
    package var match: SemanticMatch?
    /// Identifies the requests that can be compared with this one.
    var context: [UInt8]
    /// The vector of the request's text.
    var vector: [Float]
}

/// Which jobs may get the answer to a similar prompt.
package struct SemanticPolicy: Sendable, Equatable {
    /// The model that embeds prompts.
    package var model: Target
    /// The prefix of prompts, such as `query: `.
    package var prefix: String
    /// The minimum cosine of a match, 0 to 1.
    package var threshold: Double
    /// Whether it applies to targets that ``exceptions`` does not name.
    package var isUsual: Bool
    /// Whether it applies to a target, `provider/model`.
    package var exceptions: [String: Bool]

    /// Makes one.
    package init(model: Target, prefix: String, threshold: Double, isUsual: Bool, exceptions: [String: Bool]) {
        self.model = model
        self.prefix = prefix
        self.threshold = threshold
        self.isUsual = isUsual
        self.exceptions = exceptions
    }

    /// Whether it applies to a target.
    func holds(for target: Target) -> Bool { exceptions[target.description] ?? isUsual }
}
