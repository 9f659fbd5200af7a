import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

extension JobQueue {
    /// Embeds a text and stores it as a memory. A text that is already stored is not embedded or paid for again.
    /// - Parameters:
    ///   - text: the text.
    ///   - namespace: the namespace, which is created if it does not exist.
    ///   - metadata: the program's own data, an object by which memories can be filtered.
    /// - Returns: the memory's id.
    /// - Throws: `InputError`, `ModelFailure`, `StoreError`.
    @discardableResult
    public func remember(_ text: String, in namespace: String = "default", metadata: JSONValue? = nil) async throws -> Int64 {
        var draft = MemoryDraft(text)
        draft.metadata = metadata
        guard let id = try await remember([draft], in: namespace).first else {
            throw StoreError(.internal, "the store did not say what became of a memory")
        }
        return id
    }

    /// Stores several texts as memories. All are checked first, then embedded and stored batch by batch.
    /// - Returns: the ids of the memories, in the same order.
    /// - Throws: `InputError` before anything is stored; `ModelFailure` and `StoreError`, after which calling this again with the same
    ///   texts continues from there.
    @discardableResult
    public func remember(_ drafts: [MemoryDraft], in namespace: String = "default") async throws -> [Int64] {
        try await memories.store(drafts, in: namespace).map(\.id)
    }

    /// Finds the memories closest in meaning to a text, best first. The result is exact.
    /// - Parameters:
    ///   - text: what to look for.
    ///   - namespaces: where to look.
    ///   - limit: 1 to 10,000.
    ///   - condition: a condition on the metadata, such as `topic == "hours" && year >= 2024`; nil for none.
    /// - Throws: `InputError`, `ModelFailure`, `StoreError`.
    public func recall(
        _ text: String, in namespaces: String..., limit: Int = 10, where condition: String? = nil
    ) async throws -> [MemoryHit] {
        var query = MemoryQuery(namespaces: namespaces.isEmpty ? [NamespaceName.usual] : namespaces, text: text)
        query.limit = limit
        do {
            query.filter = try condition.map { try Expression.parse($0) }
            return try await memories.search([query]).first?.hits ?? []
        } catch let error as MemoryError {
            throw InputError(error.description, kind: .usage)
        } catch let error as ExpressionError {
            throw InputError(error.description, kind: .usage)
        }
    }

    /// Returns memories, newest first.
    /// - Parameters:
    ///   - limit: the maximum number of memories.
    ///   - namespace: nil for all namespaces.
    ///   - id: only memories with smaller ids; nil starts with the newest.
    /// - Throws: `InputError` if there is no such namespace, `StoreError`.
    public func memories(in namespace: String? = nil, limit: Int = 100, before id: Int64? = nil) throws -> [Memory] {
        do {
            return try memories.list(in: namespace, before: id, limit: limit)
        } catch let error as MemoryError {
            throw InputError(error.description, kind: .usage)
        }
    }

    /// Returns a memory; nil if there is none with that id, or no longer.
    /// - Throws: `StoreError`.
    public func memory(_ id: Int64) throws -> Memory? { try memories.get([id]).first?.memory }

    /// Deletes memories. Returns the number of memories that existed.
    /// - Throws: `StoreError`.
    @discardableResult
    public func forget(_ ids: Int64...) async throws -> Int { try await memories.delete(ids) }

    /// Deletes a namespace with all its memories. Returns the number of memories.
    /// - Throws: `StoreError`.
    @discardableResult
    public func forget(namespace: String) async throws -> Int { try await store.memories.forgetNamespace(namespace) }

    /// The names of all namespaces.
    /// - Throws: `StoreError`.
    public func namespaces() throws -> [String] { try memories.namespaces().map(\.name) }
}
