import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore
import AgentQueueWorker

extension Memories {
    /// Searches memories. The texts of queries that need a vector are embedded together, each with the model of its namespace's vectors,
    /// and the memories found are recorded as recalled.
    /// - Returns: an answer for each query, in the same order.
    /// - Throws: `InputError` if a model is not available, `MemoryError`, `VectorError`, `StoreError`, `ModelFailure`.
    package func search(_ queries: [MemoryQuery]) async throws -> [MemoryAnswer] {
        for query in queries { try query.checkBeforePaying() }
        var plan = try database.memories.withSnapshot { try QueryParts(queries, $0, approximateAbove: settings.memory.approximateAbove) }
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

    /// A failure to record does not fail the search.
    private func noteRecalled(_ answers: [MemoryAnswer]) async {
        let ids = Set(answers.lazy.flatMap(\.hits).map(\.memory.id)).sorted()
        do {
            try await database.memories.noteRecalled(ids)
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
                    + "embedding it again changes that")
        }
    }
}

extension MemoryQuery {
    /// Checks everything that does not need the query's vector, so that nothing is paid for a query that cannot be answered.
    /// - Throws: `InputError`.
    func checkBeforePaying() throws(InputError) {
        for name in namespaces { try NamespaceName.check(name) }
        if let text {
            guard !TextSize.isBlank(text) else { throw InputError("the text to look for is empty", kind: .usage) }
            guard !TextSize.holdsNUL(text) else { throw InputError("the text to look for holds a NUL character", kind: .usage) }
            guard text.utf8.count <= MemoryLimits.maxTextBytes else {
                let longest = ByteCountText.format(Int64(MemoryLimits.maxTextBytes))
                throw InputError("the text to look for is longer than \(longest)", kind: .usage)
            }
        } else if vector == nil {
            throw InputError("a text to look for is missing", kind: .usage)
        }
        if let vector, mode != .words {
            do throws(VectorError) {
                _ = try MemoryVector(vector)
            } catch {
                throw InputError(error.description, kind: .badData)
            }
        }
        var whole = self
        whole.vector = vector ?? [1]
        do throws(MemoryError) {
            try whole.check()
        } catch {
            throw InputError(error.description, kind: .usage)
        }
    }
}

/// Queries prepared for the index: each has a vector of the model of its namespaces. A query over namespaces with several models is split
/// into parts.
struct QueryParts {
    /// A query or a part of one.
    struct Part {
        /// The index of its query.
        var query: Int
        /// The query with only the namespaces of this part.
        var asked: MemoryQuery
        /// The model that embeds its text; nil if it needs no vector or has its own.
        var target: Target?
    }

    private(set) var parts: [Part] = []
    /// The models of namespaces that are searched by a text, by the name of the namespace.
    private(set) var models: [String: VectorModel] = [:]

    /// - Parameter approximateAbove: the number of memories above which the faster approximate scan is used, unless the query says
    ///   otherwise; nil for never.
    /// - Throws: `MemoryError` for a namespace that does not exist, or whose vectors no model can make from a text.
    init(_ queries: [MemoryQuery], _ snapshot: MemorySnapshot, approximateAbove: Int?) throws {
        for (index, var query) in queries.enumerated() {
            let namespaces = try query.namespaces.map { try snapshot.existing($0) }
            if query.scan == .automatic, let approximateAbove, namespaces.contains(where: { $0.memories > approximateAbove }) {
                query.scan = .approximate
            }
            guard query.mode != .words, query.vector == nil, query.text != nil else {
                parts.append(Part(query: index, asked: query))
                continue
            }
            var order: [String: Int] = [:]
            for namespace in namespaces {
                let target = try Self.target(of: namespace)
                if let model = namespace.space?.model { models[namespace.name] = model }
                // Namespaces with the same model stay in one part, for one index call and one ranking.
                if let part = order[target?.description ?? ""] {
                    parts[part].asked.namespaces.append(namespace.name)
                } else {
                    order[target?.description ?? ""] = parts.count
                    var asked = query
                    asked.namespaces = [namespace.name]
                    parts.append(Part(query: index, asked: asked, target: target))
                }
            }
        }
    }

    /// The distinct texts to embed with each model.
    var texts: [Target: [String]] {
        var texts: [Target: [String]] = [:]
        var seen: [Target: Set<String>] = [:]
        for part in parts {
            guard let target = part.target, let text = part.asked.text, seen[target, default: []].insert(text).inserted else { continue }
            texts[target, default: []].append(text)
        }
        return texts
    }

    /// Gives each part the vector of its text.
    mutating func place(_ vectors: [Target: [String: [Float]]]) {
        for index in parts.indices {
            guard let target = parts[index].target, let text = parts[index].asked.text else { continue }
            parts[index].asked.vector = vectors[target]?[text]
        }
    }

    /// Merges the answers to the parts of each query, best first.
    func merge(_ answers: [MemoryAnswer], of queries: [MemoryQuery]) -> [MemoryAnswer] {
        var merged = [MemoryAnswer?](repeating: nil, count: queries.count)
        for (part, answer) in zip(parts, answers) {
            guard var other = merged[part.query] else {
                merged[part.query] = answer
                continue
            }
            other.reports += answer.reports
            other.hits += answer.hits
            other.hits.sort { ($0.score, $1.memory.id) > ($1.score, $0.memory.id) }
            other.hits = Array(other.hits.prefix(queries[part.query].limit))
            merged[part.query] = other
        }
        return merged.map { $0 ?? MemoryAnswer(hits: [], reports: []) }
    }

    private static func target(of namespace: MemoryNamespace) throws -> Target? {
        guard let model = namespace.space?.model else { return nil }
        if let target = Target(model.target) { return target }
        throw MemoryError(
            "namespace \(InvalidText.quoted(namespace.name)) holds vectors of your own: search it with a vector (--vector), or by its "
                + "words (--mode words)")
    }
}
