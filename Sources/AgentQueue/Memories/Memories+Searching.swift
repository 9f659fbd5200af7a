import JobModel
import ModelCalls
import QueueStore
import Settings
import VectorMemory
import WorkerPool

extension Memories {
    /// Finds memories. The texts of queries that need a vector are embedded together, each by the model of its namespace's own vectors, and
    /// what was found is noted as recalled.
    /// - Returns: an answer for each query, in their order.
    /// - Throws: `InputError` where a model is not to be had, `MemoryError`, `VectorError`, `StoreError`, `ModelFailure`.
    public func search(_ queries: [MemoryQuery]) async throws -> [MemoryAnswer] {
        for query in queries { try query.checkBeforePaying() }
        var plan = try database.readMemories { try QueryParts(queries, $0, approximateAbove: settings.memory.approximateAbove) }
        var vectors: [Target: [String: [Float]]] = [:]
        for (target, texts) in plan.texts {
            let made = try await models.embedder(for: target).embed(texts, as: .query)
            vectors[target] = Dictionary(uniqueKeysWithValues: zip(texts, made))
        }
        plan.place(vectors)
        tellOfOtherModels(plan.models)
        let asked = plan.parts.map(\.asked)
        let answers = plan.merge(try await index.answer(asked), of: queries)
        await noteRecalled(answers)
        return answers
    }

    /// The answer is there whether or not it can be noted.
    private func noteRecalled(_ answers: [MemoryAnswer]) async {
        let ids = Set(answers.lazy.flatMap(\.hits).map(\.memory.id)).sorted()
        do {
            try await database.noteRecalled(ids)
        } catch {
            notice("it could not be noted what was recalled: \(error)")
        }
    }

    private func tellOfOtherModels(_ used: [String: VectorModel]) {
        guard let configured = configuredModel else { return }
        for (namespace, model) in used.sorted(by: { $0.key < $1.key }) where model != configured {
            let name = InvalidText.quoted(namespace)
            let made =
                model.target == configured.target
                ? "another prefix (\(InvalidText.quoted(model.passagePrefix)))" : "another model (\(model.target))"
            notice(
                "namespace \(name) was made with \(made) than memory.embedding_model says now, and is searched with its own; "
                    + "'agent-queue memory reembed \(namespace)' changes it")
        }
    }
}
