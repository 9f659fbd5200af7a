import AgentQueueModel

extension MemoryStore {
    /// Stores memories in one transaction, all or none. A memory that is already stored is a duplicate: with a key, if the memory of that
    /// key has the same text and metadata; without one, if any has. If there is no text, or the user supplies the vectors, the vector must
    /// be equal too. Expired memories do not count as stored.
    /// - Parameters:
    ///   - memories: at most 10,000.
    ///   - model: the model of the vectors; nil if no memory has one.
    /// - Throws: `StoreError`; `conflict`, and nothing is stored, if a memory is refused, or if the namespace holds vectors of another
    ///   model or dimension.
    package func remember(_ memories: [NewMemory], in namespace: String, model: VectorModel?) async throws -> [StoreOutcome] {
        let prepared = try PreparedMemory.all(memories, in: namespace, model: model)
        return try await write { try $0.remember(prepared, in: namespace, model: model) }
    }
}

extension WriteTransaction {
    /// Stores memories like ``MemoryStore/remember(_:in:model:)``. A `conflict` is thrown before anything is changed, so that the
    /// transaction can go on.
    func remember(_ memories: [NewMemory], in namespace: String, model: VectorModel?) throws -> [StoreOutcome] {
        try remember(PreparedMemory.all(memories, in: namespace, model: model), in: namespace, model: model)
    }

    /// Stores memories that have been checked.
    func remember(_ memories: [PreparedMemory], in namespace: String, model: VectorModel?) throws -> [StoreOutcome] {
        guard !memories.isEmpty else { return [] }
        let known = try namespaceState(named: namespace)
        if let known { try checkVectors(of: memories, model, in: known) }
        var batch = try MemoryBatch(self, known ?? makeNamespaceState(named: namespace), model: model)
        let outcomes = try memories.map { try batch.remember($0) }
        try batch.finish()
        return outcomes
    }

    /// Refuses vectors that are not comparable with those of the namespace.
    private func checkVectors(of memories: [PreparedMemory], _ model: VectorModel?, in place: NamespaceState) throws {
        if place.building != nil, memories.contains(where: \.text.isEmpty) {
            throw StoreError(.conflict, "namespace \(place.name) is being embedded again, so it takes no vectors without a text")
        }
        guard let model, let space = place.current, let dimension = memories.lazy.compactMap(\.vector?.dimension).first else { return }
        guard space.model != model || space.dimension != dimension else { return }
        let given = VectorModel.describe(model, dimension)
        throw StoreError(
            .conflict,
            """
            namespace \(place.name) holds vectors of \(VectorModel.describe(space.model, space.dimension)), not of \(given); use another \
            namespace, or embed this one again with that model
            """)
    }

    /// The largest number assigned to a change of memories.
    func latestMemoryNumber() throws(SQLFailure) -> Int64 {
        try statement("SELECT value FROM counters WHERE name = 'memory'").first { $0.int64(0) } ?? 0
    }

    func setLatestMemoryNumber(_ number: Int64) throws(SQLFailure) {
        try statement("UPDATE counters SET value = ? WHERE name = 'memory'").bind(number).run()
    }
}

extension VectorModel {
    /// A model and the dimension of its vectors, for error messages.
    fileprivate static func describe(_ model: VectorModel, _ dimension: Int) -> String {
        let name = model.target == brought ? "vectors that were brought" : model.target
        let prefix = model.passagePrefix.isEmpty ? "" : " with the prefix '\(model.passagePrefix)'"
        return "\(name)\(prefix) (\(dimension) values)"
    }
}
