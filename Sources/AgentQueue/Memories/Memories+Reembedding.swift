import AgentQueueModel
import AgentQueueProviders
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker

extension Memories {
    /// Starts to re-embed a namespace with another model: adds the jobs, which any worker runs, and returns. Searches use the existing
    /// vectors until the last new one is made. Call it again after a crash or failed jobs: memories that have their new vector, or a job
    /// in progress, are not added again.
    /// - Parameter model: `provider/model`; nil for the configured one.
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
        // While jobs of an earlier call are in progress, only they know the state of their memories.
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

    /// The space that a model fills. The length of its vectors is determined by embedding one word.
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

/// The progress of re-embedding a namespace.
package struct Reembedding: Sendable, Equatable {
    package var namespace: String
    /// The new model, `provider/model`.
    package var model: String
    /// The number of values in a vector.
    package var dimension: Int
    /// The number of memories in the namespace.
    package var memories: Int
    /// The number of memories with their new vector.
    package var done: Int
    /// The number of memories that this call added jobs for.
    package var enqueued: Int
    /// The batch of the jobs.
    package var batch: String
    /// Whether searches use the new vectors.
    package var isFinished: Bool
}
