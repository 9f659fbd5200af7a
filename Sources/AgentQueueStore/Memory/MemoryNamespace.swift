/// A namespace of memories and its status.
package struct MemoryNamespace: Sendable, Equatable {
    package var id: Int64
    /// 1 to 128 characters.
    package var name: String
    /// The vectors that searches use; nil before the first is stored.
    package var space: MemorySpace?
    /// The vectors of another model that are being built to replace them; usually nil.
    package var building: MemorySpace?
    /// The number of memories, including expired ones that are not yet pruned.
    package var memories: Int
    /// The bytes of their texts, metadata and vectors.
    package var bytes: Int64

    package init(id: Int64, name: String, space: MemorySpace?, building: MemorySpace?, memories: Int, bytes: Int64) {
        self.id = id
        self.name = name
        self.space = space
        self.building = building
        self.memories = memories
        self.bytes = bytes
    }
}

/// The memories of a namespace that will expire.
package struct MemoryExpiring: Sendable, Equatable {
    package var memories: Int
    /// When the first of them expires (wall clock, ms).
    package var next: Int64
}

extension MemoryNamespace {
    /// Why the namespace does not accept vectors of a model, as a sentence; nil if it does, or will once the space being built is
    /// finished.
    package func refusal(of model: VectorModel) -> String? {
        guard let space, space.model != model, building?.model != model else { return nil }
        return """
            namespace \(name) holds vectors of \(space.model.described), not of \(model.described); use another namespace, or embed \
            this one again with that model
            """
    }
}

extension VectorModel {
    fileprivate var described: String {
        let name = target == Self.brought ? "vectors that were brought" : target
        return passagePrefix.isEmpty ? name : "\(name) with the prefix '\(passagePrefix)'"
    }
}

/// A namespace as read for a change of its memories.
struct NamespaceState {
    var id: Int64
    var name: String
    /// The vectors that searches use; nil before the first is stored.
    var current: MemorySpace?
    /// The vectors that are being built to replace them.
    var building: MemorySpace?
    /// Memories up to this id have been taken for `building`.
    var walkedTo: Int64 = 0
    /// Spaces whose blocks are being deleted.
    var dropped: [Int64] = []
    /// Memories up to this id are in the full-text index.
    var wordsTo: Int64 = 0
    /// Memories up to this id are in the digest index.
    var digestedTo: Int64 = 0
    /// The number of memories when the transaction began.
    var memories: Int64 = 0

    /// A namespace without its spaces, and the row id of its current space.
    fileprivate static func read(_ row: Statement) -> (place: NamespaceState, space: Int64?) {
        let place = NamespaceState(
            id: row.int64(0), name: row.text(1), wordsTo: row.int64(3), digestedTo: row.int64(4), memories: row.int64(5))
        return (place, row.optionalInt64(2))
    }

    /// The word that marks its memories in the full-text index.
    var token: String { Self.token(id) }

    /// The word that marks a namespace's memories in the full-text index.
    static func token(_ id: Int64) -> String { "n\(id)" }
}

extension WriteTransaction {
    /// The namespace with a name; nil if there is none.
    func namespaceState(named name: String) throws(SQLFailure) -> NamespaceState? {
        let found = try statement(
            "SELECT id, name, space_id, words_to, digested_to, memories FROM namespaces WHERE name = ? AND is_forgotten = 0"
        ).bind(name).first { NamespaceState.read($0) }
        return try found.map { (found) throws(SQLFailure) in try withSpaces(found.place, current: found.space) }
    }

    /// The namespace with an id; nil if there is none.
    func namespaceState(_ id: Int64) throws(SQLFailure) -> NamespaceState? {
        let found = try statement("SELECT id, name, space_id, words_to, digested_to, memories FROM namespaces WHERE id = ?")
            .bind(id).first { NamespaceState.read($0) }
        return try found.map { (found) throws(SQLFailure) in try withSpaces(found.place, current: found.space) }
    }

    private func withSpaces(_ place: NamespaceState, current: Int64?) throws(SQLFailure) -> NamespaceState {
        var place = place
        try statement("SELECT id, model, passage_prefix, dimension, state, walked_to FROM memory_spaces WHERE namespace_id = ?")
            .bind(place.id).eachRow { row in
                let space = MemorySpace(
                    id: row.int64(0), namespaceID: place.id, model: VectorModel(target: row.text(1), passagePrefix: row.text(2)),
                    dimension: row.dimension(3))
                if space.id == current {
                    place.current = space
                } else if row.text(4) == "building" {
                    place.building = space
                    place.walkedTo = row.int64(5)
                } else {
                    place.dropped.append(space.id)
                }
            }
        return place
    }

    func makeNamespaceState(named name: String) throws(SQLFailure) -> NamespaceState {
        let id = try statement("INSERT INTO namespaces (name, created_at) VALUES (?, ?)").bind(name).bind(now).insertedID()
        return NamespaceState(id: id ?? 0, name: name)
    }

    func makeSpace(in place: NamespaceState, model: VectorModel, dimension: Int, state: StaticString) throws(SQLFailure) -> MemorySpace {
        let id = try statement(
            """
            INSERT INTO memory_spaces (namespace_id, model, passage_prefix, dimension, state, created_at) VALUES (?, ?, ?, ?, ?, ?)
            """
        ).bind(place.id).bind(model.target).bind(model.passagePrefix).bind(dimension).bind(state.description).bind(now)
            .insertedID()
        return MemorySpace(id: id ?? 0, namespaceID: place.id, model: model, dimension: dimension)
    }
}
