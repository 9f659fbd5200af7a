/// What a `memorize` job does with its texts, as stored in its request under `memory`. The texts themselves are the request's `input`,
/// each with its prefix, so that none is stored twice.
package struct MemoryOrder: Sendable, Equatable {
    /// The namespace the texts are stored in.
    package var namespace: String
    /// The prefix of each text in `input`; only the model needs it.
    package var prefix: String
    /// The user's own name for the single text.
    package var key: String?
    /// Importance, 0 to 1; 0.5 by default.
    package var importance = 0.5
    /// How long the texts are kept.
    package var expiry = Expiry.usual
    /// Whether vectors may come from the cache, if the same text was embedded before.
    package var usesCache = true
    /// Set if the texts already are memories that get vectors from another model.
    package var again: Again?

    package enum Expiry: Sendable, Equatable {
        /// As configured.
        case usual
        /// For this long after they are stored.
        case after(Duration)
        /// For ever.
        case never
    }

    /// Existing memories that are embedded again.
    package struct Again: Sendable, Equatable {
        /// The vector space the new vectors go to.
        package var space: Int64
        /// The memories' ids, in the order of the texts.
        package var ids: [Int64]
        /// The memories' versions when their texts were read.
        package var versions: [Int64]

        package init(space: Int64, ids: [Int64], versions: [Int64]) {
            self.space = space
            self.ids = ids
            self.versions = versions
        }
    }

    package init(namespace: String, prefix: String) {
        self.namespace = namespace
        self.prefix = prefix
    }

    /// Reads it from a request's body.
    /// - Throws: `DamagedValue` if the body is not what ``json`` wrote.
    package init(_ body: JSONValue) throws(DamagedValue) {
        let memory = try StoredObject(body["memory"] ?? .null, "memory")
        guard let namespace = try memory.string("namespace") else { throw memory.damage("namespace", "a string") }
        self.init(namespace: namespace, prefix: try memory.string("prefix") ?? "")
        key = try memory.string("key")
        importance = try memory.number("importance") ?? 0.5
        usesCache = try memory.bool("cache") ?? true
        switch memory["ttl_ms"] {
        case "never": expiry = .never
        case .string: throw memory.damage("ttl_ms", "\"never\" or a whole number")
        case _?: expiry = try memory.integer("ttl_ms").map { .after(.milliseconds($0)) } ?? .usual
        case nil: break
        }
        guard let space = try memory.integer("space") else { return }
        let (ids, versions) = (try memory.integers("ids") ?? [], try memory.integers("versions") ?? [])
        let count = body["input"]?.array?.count ?? 0
        guard ids.count == count, versions.count == count else {
            throw DamagedValue("\"memory\" has \(ids.count) ids and \(versions.count) versions for \(count) texts")
        }
        again = Again(space: space, ids: ids, versions: versions)
    }

    /// Its form in the request's body.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [.init("namespace", .string(namespace))]
        if !prefix.isEmpty { members.append(.init("prefix", .string(prefix))) }
        if let key { members.append(.init("key", .string(key))) }
        if importance != 0.5 { members.append(.init("importance", .double(importance))) }
        switch expiry {
        case .usual: break
        case .after(let span): members.append(.init("ttl_ms", .integer(span.milliseconds)))
        case .never: members.append(.init("ttl_ms", "never"))
        }
        if !usesCache { members.append(.init("cache", false)) }
        if let again {
            members.append(.init("space", .integer(again.space)))
            members.append(.init("ids", .array(again.ids.map(JSONValue.integer))))
            members.append(.init("versions", .array(again.versions.map(JSONValue.integer))))
        }
        return .object(members)
    }

    package func body(of texts: [String]) -> JSONValue {
        ["input": .array(texts.map { .string(prefix + $0) }), "memory": json]
    }

    /// The texts of such a body, without their prefix.
    package func texts(of body: JSONValue) -> [String] {
        (body["input"]?.array ?? []).map { input in
            let text = input.string ?? ""
            // Compare bytes: as Swift counts characters, a prefix may end within one.
            guard !prefix.isEmpty, text.utf8.starts(with: prefix.utf8) else { return text }
            return String(decoding: text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
        }
    }
}

extension NewJob {
    /// A job that remembers texts. It has no flight and the cache does not answer it, because every job's texts must be stored: no other
    /// job's answer can stand for it. The vectors of its texts may come from the cache.
    /// - Parameter identity: who embeds the texts: the provider's kind and base URL.
    package init(_ order: MemoryOrder, texts: [String], target: Target, identity: String) {
        let (body, digest) = ModelRequest(kind: .memorize, target: target, body: order.body(of: texts)).sealed(identity: identity)
        self.init(kind: .memorize, target: target, body: body, digest: digest)
        inputs = max(1, texts.count)
        useCache = false
    }
}
