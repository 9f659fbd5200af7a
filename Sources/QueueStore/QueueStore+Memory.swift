import JobModel

extension QueueStore {
    /// Looks at the memories as they are now: one snapshot for all that a search reads.
    /// - Throws: `StoreError`, and what the body throws.
    public func readMemories<Value>(_ body: (MemorySnapshot) throws -> Value) throws -> Value {
        let now = clock.wall()
        return try read { try body(MemorySnapshot($0, now: now)) }
    }

    /// Which of the memories are stored already with a vector of that model, so that they need not be embedded: their ids, in order, nil
    /// where one is not, or would take another's place.
    public func known(_ memories: [NewMemory], in namespace: String, model: VectorModel) throws -> [Int64?] {
        throw StoreError(.internal, "not built yet")
    }

    /// Remembers texts in one transaction, all or none.
    /// - Parameters:
    ///   - memories: at most 10,000.
    ///   - model: what made the vectors; nil where no memory has one.
    /// - Throws: `StoreError`; `conflict` where the namespace holds vectors of another model or dimension.
    public func remember(_ memories: [NewMemory], in namespace: String, model: VectorModel?) async throws -> [Remembered] {
        throw StoreError(.internal, "not built yet")
    }

    /// Forgets memories, in slices. Returns how many there were.
    public func forget(_ ids: [Int64]) async throws -> Int { throw StoreError(.internal, "not built yet") }

    /// Forgets a whole namespace, in slices, and its name. Returns how many memories there were.
    public func forgetNamespace(_ name: String) async throws -> Int { throw StoreError(.internal, "not built yet") }

    /// Notes that a search brought memories up, which pruning goes by.
    public func noteRecalled(_ ids: [Int64]) async throws { throw StoreError(.internal, "not built yet") }

    /// Brings the index of words of a namespace up to date, in slices.
    public func indexWords(of namespace: Int64) async throws { throw StoreError(.internal, "not built yet") }

    /// Memories in the order of their ids, for lists and exports: those after an id.
    /// - Parameter namespace: nil is all.
    public func memories(in namespace: String?, after id: Int64, limit: Int) throws -> [Memory] {
        throw StoreError(.internal, "not built yet")
    }
}
