import JobModel
import Logging
import ModelCalls
import QueueStore
import VectorMemory

/// Finds the memories that go into a job's prompt.
struct Recaller: Sendable {
    private let store: QueueStore
    private let search: MemorySearch
    private let providers: [String: any ModelProvider]
    private let configuration: WorkerConfiguration
    private let memory: MemoryConfiguration
    private let logger: Logger
    private let complaints = Seldom(interval: 60_000)

    /// How much of a text is embedded, in characters; where a model refuses that, less.
    private static let lengths = [2_000, 400]

    /// Nil where the worker has nothing to do with memories.
    init?(store: QueueStore, providers: [String: any ModelProvider], configuration: WorkerConfiguration, logger: Logger) {
        guard let memory = configuration.memory else { return nil }
        self.store = store
        self.providers = providers
        self.configuration = configuration
        self.memory = memory
        self.logger = logger
        search = MemorySearch(store, maxBytes: memory.indexBytes)
    }

    /// The memories nearest to a text, the best first. Namespaces without vectors are searched by words, and come after the others.
    /// - Throws: `ModelFailure`: of the embedding, where that fails, and permanent where the search cannot be done as it is asked for.
    func recall(_ use: MemoryUse, by text: String, for job: ClaimedJob) async throws -> [MemoryHit] {
        do {
            var queries: [MemoryQuery] = []
            for (model, namespaces) in try groups(of: use.namespaces) {
                var query = MemoryQuery(namespaces: namespaces.map(\.name), text: text)
                query.limit = use.recall ?? 1
                if let model {
                    query.vector = try await vector(of: text, model, use, job)
                    query.scan = memory.scan(of: namespaces.lazy.map(\.memories).max() ?? 0)
                } else {
                    query.mode = .words
                }
                queries.append(query)
            }
            guard !queries.isEmpty else { return [] }
            let answers = zip(queries, try await search.answer(queries))
            let near = answers.filter { $0.0.mode != .words }.flatMap(\.1.hits).sorted {
                ($1.score, $0.memory.id) < ($0.score, $1.memory.id)
            }
            let hits = near + answers.filter { $0.0.mode == .words }.flatMap(\.1.hits)
            return Array(hits.prefix(use.recall ?? 1))
        } catch let failure as ModelFailure {
            throw Self.told(failure.failure, failure.message, retryAfter: failure.retryAfter)
        } catch let error as MemoryError {
            throw Self.told(.permanent, error.description)
        } catch let error as VectorError {
            throw Self.told(.permanent, error.description)
        } catch let error as StoreError {
            throw Self.told(.retryable, error.message)
        }
    }

    /// Namespaces by what made their vectors; nil for those without any. Empty ones are left out.
    private func groups(of names: [String]) throws -> [(VectorModel?, [MemoryNamespace])] {
        let namespaces = try store.readMemories { snapshot in
            try names.map { name in
                guard let namespace = try snapshot.namespace(named: name) else {
                    throw MemoryError("there is no namespace '\(name)'; 'agent-queue memory stats' lists them")
                }
                return namespace
            }
        }
        var groups: [(model: VectorModel?, namespaces: [MemoryNamespace])] = []
        for namespace in namespaces where namespace.memories > 0 {
            let model = memory.makesVectors ? namespace.space?.model : nil
            if model?.target == VectorModel.brought {
                throw MemoryError("namespace '\(namespace.name)' holds vectors that were brought, which no text can be compared with")
            }
            if let index = groups.firstIndex(where: { $0.model == model }) {
                groups[index].namespaces.append(namespace)
            } else {
                groups.append((model, [namespace]))
            }
        }
        return groups
    }

    private func vector(of text: String, _ model: VectorModel, _ use: MemoryUse, _ job: ClaimedJob) async throws -> [Float] {
        let embedder = try embedder(of: model, use)
        var lengths = Self.lengths[...]
        while true {
            let query = RecallPrompt.query(text, atMost: lengths.first ?? 1)
            lengths = lengths.dropFirst()
            do {
                return try await embedder.embed([query], as: .query, besides: job).first ?? []
            } catch let failure as ModelFailure {
                let isTooLong = failure.failure == .permanent && query.unicodeScalars.count > lengths.first ?? .max
                guard isTooLong else { throw failure }
            }
        }
    }

    /// What embeds texts that look for a model's: the configured model, or the namespace's own.
    private func embedder(of model: VectorModel, _ use: MemoryUse) throws -> Embedder {
        guard let target = Target(model.target), let provider = providers[target.provider] else {
            throw MemoryError("the vectors are of \(model.target), whose provider this worker does not have")
        }
        let prefixes = memory.prefixes(target)
        if target != memory.model || prefixes.passage != model.passagePrefix, complaints.isDue(at: store.clock.boot()) {
            logger.warning(
                "memories are searched by the model that made their vectors, which is not the configured one",
                metadata: ["model": "\(target)", "configured": "\(memory.model)"])
        }
        let timeToLive = use.usesCache ? configuration.cacheTimesToLive[model.target] ?? configuration.cacheTimeToLive : nil
        return Embedder(
            store: store, provider: provider, target: target, queryPrefix: prefixes.query, passagePrefix: model.passagePrefix,
            price: configuration.prices[model.target], timeout: configuration.callTimeout,
            // A job is tried again by the queue.
            cacheTimeToLive: configuration.cacheTimeToLive == nil ? nil : timeToLive, tries: 1)
    }

    /// A failure that is none of the job's own call: it says nothing of its target, and what it cost is charged already.
    private static func told(_ failure: FailureClass, _ message: String, retryAfter: Int64? = nil) -> ModelFailure {
        var told = ModelFailure(failure, "memories could not be recalled: \(message)", retryAfter: retryAfter)
        told.wasSent = false
        return told
    }
}
