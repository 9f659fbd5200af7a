import JobModel

extension QueueStore {
    /// Takes the next memories that a space under way is to have vectors of, and adds the jobs that make them, in one transaction: so none is
    /// taken without a job, and none twice.
    /// - Parameters:
    ///   - limit: how many memories to take.
    ///   - jobs: the jobs for memories; may be asked more than once.
    /// - Returns: how many were taken; 0 where the space has walked to the end.
    /// - Throws: `StoreError`, and what `jobs` throws.
    public func enqueueNext(
        for space: MemorySpace, limit: Int, _ jobs: @escaping @Sendable ([Memory]) throws -> [NewJob]
    ) async throws -> Int {
        try await write { transaction in
            let memories = try transaction.takeForSpace(space.id, limit: limit)
            for job in try jobs(memories) { _ = try transaction.enqueue(job) }
            return memories.count
        }
    }

    /// Goes on with the vectors that are being made by another model, for all namespaces: what has changed since its job was added gets
    /// another, and what is complete is searched from now on. A process that was to do that may have ended.
    public func carryOnSpaces() async throws {
        let namespaces = try readMemories { try $0.namespaces() }
        for namespace in namespaces {
            guard let space = namespace.building else { continue }
            while try await enqueueNext(for: space, limit: 500, { space.jobs(for: $0, in: namespace.name) }) > 0 {
                try Task.checkCancellation()
            }
            // It may have been finished, or given up, meanwhile.
            try await write { transaction in
                let isUnderWay = try transaction.statement("SELECT 1 FROM memory_spaces WHERE id = ? AND state = 'building'").bind(space.id)
                    .first { _ in true }
                if isUnderWay == true { _ = try transaction.finishSpace(space.id) }
            }
        }
    }
}
