import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker

extension Memories {
    /// Has a namespace embedded again by another model: adds the jobs for it, which any worker carries out, and returns. The vectors that
    /// are there are searched until the last new one is made. To be called again after a crash, or for the jobs that failed: what has its new
    /// vector, or a job under way, is not taken again.
    /// - Parameter model: `provider/model`; nil is the configured one.
    /// - Throws: `InputError`, `StoreError`, `ModelFailure`.
    package func reembed(_ namespace: String, model: String? = nil) async throws -> Reembedding {
        try NamespaceName.check(namespace)
        guard settings.memory.vectors else {
            throw InputError("memory.vectors is false: no vectors are made", kind: .usage)
        }
        let name = model ?? settings.memory.embeddingModel
        guard let target = Target(name) else {
            throw InputError("model \(InvalidText.quoted(name)) is not a target (write provider/model)", kind: .usage)
        }
        let space = try await beginSpace(in: namespace, target)
        let batch = space.batch(in: namespace)
        // While jobs of an earlier call are under way, only they know what becomes of their memories.
        if try database.jobs.batch(named: batch)?.isDone ?? true { _ = try await database.memories.retakeMissing(in: space.id) }
        var enqueued = 0
        let identity = identity(of: target)
        while true {
            let taken = try await database.memories.enqueueNext(for: space, limit: 500) { memories in
                space.jobs(for: memories, in: namespace, identity: identity)
            }
            guard taken > 0 else { break }
            enqueued += taken
        }
        let isFinished = try await database.memories.finishSpace(space.id)
        return try database.memories.withSnapshot { snapshot in
            Reembedding(
                namespace: namespace, model: space.model.target, dimension: space.dimension,
                memories: try snapshot.namespace(named: namespace)?.memories ?? 0, done: try snapshot.progress(of: space),
                enqueued: enqueued, batch: batch, isFinished: isFinished)
        }
    }

    /// The space that a model fills: of one word it is learnt how long its vectors are.
    private func beginSpace(in name: String, _ target: Target) async throws -> MemorySpace {
        let model = models.model(target)
        let held = try database.memories.withSnapshot { try $0.namespace(named: name) }
        guard let held else { throw StoreError(.notFound, "there is no namespace \(InvalidText.quoted(name))") }
        if held.space?.model == model {
            throw StoreError(.conflict, "namespace \(InvalidText.quoted(name)) holds vectors of \(target) already")
        }
        if let building = held.building, building.model == model { return building }
        let vector = try await models.embedder(for: target).embed(["dimension"], as: .passage).first ?? []
        return try await database.memories.beginSpace(in: name, model: model, dimension: vector.count)
    }

    private func identity(of target: Target) -> String {
        settings.providers[target.provider].map { ProviderIdentity.of(kind: $0.kind.rawValue, baseURL: $0.baseURL) } ?? ""
    }
}

/// How far the embedding of a namespace by another model is.
package struct Reembedding: Sendable, Equatable {
    /// The namespace.
    package var namespace: String
    /// What embeds it, `provider/model`.
    package var model: String
    /// How many values a vector has.
    package var dimension: Int
    /// How many memories the namespace holds.
    package var memories: Int
    /// How many have their new vector.
    package var done: Int
    /// How many the call that tells this has given to jobs.
    package var enqueued: Int
    /// The batch of these jobs.
    package var batch: String
    /// Whether the new vectors are searched.
    package var isFinished: Bool
}
