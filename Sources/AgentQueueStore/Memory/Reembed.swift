import AgentQueueModel

extension MemoryStore {
    /// Starts re-embedding a namespace with another model, or continues it; returns the space being built. A space that is being built for
    /// another model is abandoned.
    /// - Throws: `StoreError`; `notFound` if the namespace does not exist, `conflict` if its vectors already come from that model, or if
    ///   it has memories without a text, which cannot be embedded.
    package func beginSpace(in namespace: String, model: VectorModel, dimension: Int) async throws -> MemorySpace {
        guard (1...MemoryVector.maxDimension).contains(dimension) else { throw StoreError(.conflict, "a vector has 1 to 4096 values") }
        return try await write { try $0.beginSpace(in: namespace, model: model, dimension: dimension) }
    }

    /// Completes a space that is being built: if every memory of the namespace has its vector in it, searches use it from now on, and the
    /// next `prune` deletes the previous vectors. Also returns true if that was already done.
    /// - Throws: `StoreError`; `notFound` if the space was abandoned.
    package func finishSpace(_ id: Int64) async throws -> Bool { try await write { try $0.finishSpace(id) } }

    /// Queues again the memories that a space has taken but has no vectors of, for example because their jobs failed. Returns how many.
    package func retakeMissing(in space: Int64) async throws -> Int {
        var after: Int64 = 0
        var total = 0
        while true {
            let missing = try read { try MemorySnapshot($0, now: clock.wall()).missing(in: space, after: after, limit: 500) }
            guard let last = missing.last else { return total }
            after = last
            total += try await write { transaction in
                try missing.reduce(0) { sum, memory in
                    try transaction.statement(
                        """
                        INSERT INTO memory_revisits (space_id, memory_id) SELECT memory_spaces.id, memories.id
                        FROM memory_spaces JOIN memories USING (namespace_id)
                        WHERE memory_spaces.id = ?1 AND state = 'building' AND memories.id = ?2 AND memories.id <= walked_to
                        ON CONFLICT DO NOTHING
                        """
                    ).bind(space).bind(memory).run() + sum
                }
            }
        }
    }
}

extension MemorySnapshot {
    /// Memories that a space has taken but has no vector of.
    fileprivate func missing(in space: Int64, after id: Int64, limit: Int) throws -> [Int64] {
        try statement(
            """
            SELECT memories.id FROM memory_spaces CROSS JOIN memories INDEXED BY memories_namespace
            WHERE memory_spaces.id = ?1 AND state = 'building' AND memories.namespace_id = memory_spaces.namespace_id
            AND memories.id > ?2 AND memories.id <= walked_to
            AND NOT EXISTS (SELECT 1 FROM memory_entries WHERE memory_id = memories.id AND space_id = ?1)
            ORDER BY memories.id LIMIT ?3
            """
        ).bind(space).bind(id).bind(limit).all { $0.int64(0) }
    }
}

extension WriteTransaction {
    fileprivate func beginSpace(in namespace: String, model: VectorModel, dimension: Int) throws -> MemorySpace {
        guard let place = try namespaceState(named: namespace) else {
            throw StoreError(.notFound, "there is no namespace \(namespace)")
        }
        if let current = place.current, current.model == model, current.dimension == dimension {
            throw StoreError(.conflict, "namespace \(namespace) holds vectors of \(model.target) already")
        }
        if let building = place.building {
            if building.model == model, building.dimension == dimension { return building }
            try statement("UPDATE memory_spaces SET state = 'dropped' WHERE id = ?").bind(building.id).run()
        }
        let textless =
            try statement("SELECT count(*) FROM memories WHERE namespace_id = ? AND text = ''").bind(place.id).first { $0.int64(0) } ?? 0
        guard textless == 0 else {
            throw StoreError(
                .conflict, "namespace \(namespace) holds \(textless) memories with a vector but no text, which no model can embed again")
        }
        return try makeSpace(in: place, model: model, dimension: dimension, state: "building")
    }

    /// The namespace of a space that is being built; nil if it is not, or no longer is.
    private func place(building space: Int64) throws(SQLFailure) -> NamespaceState? {
        let namespace = try statement("SELECT namespace_id FROM memory_spaces WHERE id = ?").bind(space).first { $0.int64(0) }
        guard let namespace, let place = try namespaceState(namespace), place.building?.id == space else { return nil }
        return place
    }

    /// Takes the next memories to embed for a space that is being built, as they are now; first those that changed after they were taken.
    /// Expired memories are deleted on the way. Returns none if all have been taken, or the space is not being built.
    func takeForSpace(_ space: Int64, limit: Int) throws -> [Memory] {
        guard limit > 0, let place = try place(building: space) else { return [] }
        var taken = try statement(
            """
            SELECT memories.id, ?3, key, text, metadata, importance, created_at, recalled_at, expires_at, version
            FROM memory_revisits CROSS JOIN memories ON memories.id = memory_id WHERE space_id = ?1 ORDER BY memory_id LIMIT ?2
            """
        ).bind(space).bind(limit).bind(place.name).all { MemoryRow($0) }.map { try $0.memory }
        for memory in taken {
            try statement("DELETE FROM memory_revisits WHERE space_id = ? AND memory_id = ?").bind(space).bind(memory.id).run()
        }
        let next = try statement(
            """
            SELECT id, ?4, key, text, metadata, importance, created_at, recalled_at, expires_at, version FROM memories
            WHERE namespace_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3
            """
        ).bind(place.id).bind(place.walkedTo).bind(limit - taken.count).bind(place.name).all { MemoryRow($0) }.map { try $0.memory }
        if let last = next.last {
            try statement("UPDATE memory_spaces SET walked_to = ? WHERE id = ?").bind(last.id).bind(space).run()
        }
        taken += next
        let expired = taken.filter { $0.expiresAt.map { $0 <= now } ?? false }.map(\.id)
        guard !expired.isEmpty else { return taken }
        _ = try forget(expired)
        let rest = taken.filter { !expired.contains($0.id) }
        // An empty result means the end, so if the whole slice had expired, take the next.
        return rest.isEmpty ? try takeForSpace(space, limit: limit) : rest
    }

    /// Adds vectors to a space that is being built. Skips memories that have changed since they were taken, are gone, or already have a
    /// vector there.
    /// - Returns: how many were added.
    /// - Throws: `StoreError`; `conflict`, before any change, if a vector's dimension differs from the space's.
    func add(_ vectors: [(memoryID: Int64, version: Int64, vector: MemoryVector)], to space: Int64) throws -> Int {
        guard let place = try place(building: space), let building = place.building else { return 0 }
        if let other = vectors.first(where: { $0.vector.dimension != building.dimension })?.vector.dimension {
            throw StoreError(
                .conflict, "the model gave vectors of \(other) values, where those of namespace \(place.name) have \(building.dimension)")
        }
        var number = try latestMemoryNumber()
        var entries: [NewEntry] = []
        var added: Set<Int64> = []
        for (id, version, vector) in vectors {
            guard let memory = try storedMemory(id), memory.version == version, memory.namespaceID == place.id else { continue }
            guard !added.contains(id), try liveNumber(of: memory, in: space, of: place) == nil else { continue }
            number += 1
            added.insert(id)
            entries.append(
                NewEntry(
                    vector, number: number, memory: id, importance: memory.importance, createdAt: memory.createdAt,
                    expiresAt: memory.expiresAt))
            try noteEntry(number, of: id, in: space)
            let bytes = PreparedMemory.bytes(text: memory.text, metadata: memory.metadata, key: memory.key, dimension: building.dimension)
            guard bytes != memory.bytes else { continue }
            try statement("UPDATE memories SET bytes = ? WHERE id = ?").bind(bytes).bind(id).run()
            ledger.changeMemories(of: place.id, by: 0, bytes: bytes - memory.bytes)
        }
        try insert(entries, in: building)
        try setLatestMemoryNumber(number)
        return entries.count
    }

    /// Makes a space that was built the namespace's current one, once it is complete.
    func finishSpace(_ id: Int64) throws -> Bool {
        guard let place = try place(building: id) else {
            let state = try statement("SELECT state FROM memory_spaces WHERE id = ?").bind(id).first { $0.text(0) }
            guard state == "current" else { throw StoreError(.notFound, "these vectors are not being made any more") }
            return true
        }
        let lacks =
            try statement(
                """
                SELECT memories - live FROM memory_spaces JOIN namespaces ON namespaces.id = namespace_id WHERE memory_spaces.id = ?
                """
            ).bind(id).first { $0.int64(0) } ?? 0
        guard lacks + ledger.change(ofNamespace: place.id).memories == 0 else { return false }
        if let current = place.current {
            try statement("UPDATE memory_spaces SET state = 'dropped' WHERE id = ?").bind(current.id).run()
        }
        try statement("UPDATE memory_spaces SET state = 'current' WHERE id = ?").bind(id).run()
        try statement("UPDATE namespaces SET space_id = ? WHERE id = ?").bind(id).bind(place.id).run()
        return true
    }
}

extension MemoryStore {
    /// Takes the next memories to embed for a space that is being built, and adds the jobs that embed them, in one transaction, so that
    /// none is taken without a job or taken twice.
    /// - Parameters:
    ///   - limit: how many memories to take.
    ///   - jobs: makes the jobs for memories; may be called more than once.
    /// - Returns: how many were taken; 0 if all have been taken.
    /// - Throws: `StoreError`, and what `jobs` throws.
    package func enqueueNext(
        for space: MemorySpace, limit: Int, _ jobs: @escaping @Sendable ([Memory]) throws -> [NewJob]
    ) async throws -> Int {
        try await write { transaction in
            let memories = try transaction.takeForSpace(space.id, limit: limit)
            for job in try jobs(memories) { _ = try transaction.enqueue(job) }
            return memories.count
        }
    }

    /// Continues re-embedding in all namespaces, because the process that was doing it may have ended: adds jobs for memories that changed
    /// since they were taken, and makes complete spaces current.
    package func resumeSpaces() async throws {
        let namespaces = try withSnapshot { try $0.namespaces() }
        for namespace in namespaces {
            guard let space = namespace.building else { continue }
            while try await enqueueNext(for: space, limit: 500, { space.jobs(for: $0, in: namespace.name) }) > 0 {
                try Task.checkCancellation()
            }
            // The space may have been finished or abandoned in the meantime.
            try await write { transaction in
                let isUnderWay = try transaction.statement("SELECT 1 FROM memory_spaces WHERE id = ? AND state = 'building'").bind(space.id)
                    .first { _ in true }
                if isUnderWay == true { _ = try transaction.finishSpace(space.id) }
            }
        }
    }
}

extension MemorySpace {
    /// How many texts one job embeds.
    private static let textsPerJob = 100
    /// How many bytes of texts one job embeds, unless a single text is longer.
    private static let bytesPerJob = 256 << 10

    /// The name of the batch of the jobs that fill it.
    package func batch(in namespace: String) -> String { "reembed \(namespace) \(id)" }

    /// The jobs that embed memories for this space, in order; none if its vectors are supplied by the user.
    /// - Parameter identity: identifies who embeds: the provider's kind and base URL. It only goes into the digest of the job's request.
    package func jobs(for memories: [Memory], in namespace: String, identity: String = "") -> [NewJob] {
        guard let target = Target(model.target) else { return [] }
        return Self.portions(of: memories).map { memories in
            var order = MemoryOrder(namespace: namespace, prefix: model.passagePrefix)
            order.again = MemoryOrder.Again(space: id, ids: memories.map(\.id), versions: memories.map(\.version))
            var job = NewJob(order, texts: memories.map(\.text), target: target, identity: identity)
            // Jobs that somebody waits for go first.
            job.priority = 9
            job.batch = batch(in: namespace)
            return job
        }
    }

    private static func portions(of memories: [Memory]) -> [[Memory]] {
        var portions: [[Memory]] = []
        var bytes = 0
        for memory in memories {
            bytes += memory.text.utf8.count
            if let last = portions.last, last.count < textsPerJob, bytes <= bytesPerJob {
                portions[portions.count - 1].append(memory)
            } else {
                portions.append([memory])
                bytes = memory.text.utf8.count
            }
        }
        return portions
    }
}
