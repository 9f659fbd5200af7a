import AgentQueueMemory
import AgentQueueModel
import AgentQueueSettings
import AgentQueueStore

extension JobQueue {
    /// Remembers a text: embeds it, and stores it. What is stored already is not paid for again.
    /// - Parameters:
    ///   - text: the text to remember.
    ///   - namespace: where; it is made where there is none of that name.
    ///   - metadata: the program's own data, an object, by which memories can be filtered.
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

    /// Remembers many texts: all are checked first, then embedded and stored batch by batch.
    /// - Returns: the ids of the memories, in their order.
    /// - Throws: `InputError` before anything is stored; `ModelFailure` and `StoreError`, after which the same texts again go on from there.
    @discardableResult
    public func remember(_ drafts: [MemoryDraft], in namespace: String = "default") async throws -> [Int64] {
        try await memories.store(drafts, in: namespace).map(\.id)
    }

    /// Finds the memories that are nearest to a text by what they mean, the best first. They are the true nearest.
    /// - Parameters:
    ///   - text: what to look for.
    ///   - namespaces: where to look.
    ///   - limit: 1 to 10,000.
    ///   - condition: what the metadata must fulfil, such as `topic == "hours" && year >= 2024`; nil is nothing.
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

    /// Memories, the newest first.
    /// - Parameters:
    ///   - limit: at most so many.
    ///   - namespace: nil is all.
    ///   - id: only smaller ids; nil begins with the newest.
    /// - Throws: `InputError` where there is no such namespace, `StoreError`.
    public func memories(in namespace: String? = nil, limit: Int = 100, before id: Int64? = nil) throws -> [Memory] {
        do {
            return try memories.list(in: namespace, before: id, limit: limit)
        } catch let error as MemoryError {
            throw InputError(error.description, kind: .usage)
        }
    }

    /// A memory; nil where there is none of that id (any more).
    /// - Throws: `StoreError`.
    public func memory(_ id: Int64) throws -> Memory? { try memories.get([id]).first?.memory }

    /// Forgets memories. Returns how many there were.
    /// - Throws: `StoreError`.
    @discardableResult
    public func forget(_ ids: Int64...) async throws -> Int { try await memories.delete(ids) }

    /// Forgets a whole namespace, and its name. Returns how many memories there were.
    /// - Throws: `StoreError`.
    @discardableResult
    public func forget(namespace: String) async throws -> Int { try await store.memories.forgetNamespace(namespace) }

    /// The names of all namespaces.
    /// - Throws: `StoreError`.
    public func namespaces() throws -> [String] { try memories.namespaces().map(\.name) }
}
