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
}
