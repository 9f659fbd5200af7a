import AgentQueueModel
import AgentQueueSettings

/// What a job has to do with memories.
extension JobDraft {
    // MARK: Remembering texts

    /// What a `memorize` job is to do, checked.
    func checkedOrder(_ target: Target, in context: IntakeContext) throws(InputError) -> MemoryOrder {
        try refuse([
            ("prompt", prompt != nil), ("messages", messages != nil), ("system", system != nil), ("max_tokens", maxTokens != nil),
            ("temperature", temperature != nil), ("schema", schema != nil), ("sample", sample != nil), ("cache_ttl", cacheTTL != nil),
            ("recall", recall != nil), ("remember", remembers), (parameters.first?.key ?? "", !parameters.isEmpty),
        ])
        guard namespaces.count <= 1 else { throw InputError("a memorize job has one namespace, not \(namespaces.count)", exit: .usage) }
        let namespace = namespaces.first ?? NamespaceName.usual
        try NamespaceName.check(namespace)
        var order = MemoryOrder(namespace: namespace, prefix: context.passagePrefix(target))
        if let key {
            guard inputs?.count == 1 else { throw InputError("key belongs to one text, not to several", exit: .usage) }
            guard !TextSize.isBlank(key) else { throw InputError("key is empty", exit: .usage) }
            guard key.unicodeScalars.count <= MemoryLimits.maxKeyLength,
                key.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
            else {
                let rule = "at most \(MemoryLimits.maxKeyLength) characters, no control characters"
                throw InputError("key \(InvalidText.quoted(key)) cannot be one (\(rule))", exit: .usage)
            }
            order.key = key
        }
        if let importance {
            guard (0...1).contains(importance) else { throw InputError("importance must be 0 to 1, not \(importance)", exit: .usage) }
            order.importance = importance
        }
        if case .after(let span) = expiry {
            guard span > .zero else { throw InputError("ttl must be more than 0", exit: .usage) }
            guard span <= .milliseconds(MemoryLimits.maxTimeToLive) else {
                let longest = DurationText.format(.milliseconds(MemoryLimits.maxTimeToLive))
                throw InputError("ttl is too long (at most \(longest), or never)", exit: .usage)
            }
        }
        order.expiry = expiry
        order.usesCache = cache && context.usesCache
        return order
    }

    /// The members of a `memorize` request's body, checked.
    func memorizeMembers(_ target: Target, in context: IntakeContext) throws(InputError) -> [JSONValue.Member] {
        let order = try checkedOrder(target, in: context)
        guard let inputs, !inputs.isEmpty else { throw InputError("a memorize job needs at least one text", exit: .badData) }
        guard inputs.count <= JobLimits.maxEmbedInputs else {
            throw InputError("a memorize job takes at most \(JobLimits.maxEmbedInputs) texts, not \(inputs.count)", exit: .badData)
        }
        for (index, text) in inputs.enumerated() {
            let name = inputs.count == 1 ? "the text" : "text \(index + 1)"
            guard !TextSize.isBlank(text) else { throw InputError("\(name) is empty", exit: .badData) }
            guard text.utf8.count <= MemoryLimits.maxTextBytes else {
                let limit = ByteCountText.format(Int64(MemoryLimits.maxTextBytes))
                throw InputError("\(name) is \(text.utf8.count) bytes long (a memory has at most \(limit))", exit: .badData)
            }
            guard !TextSize.holdsNUL(text) else { throw InputError("\(name) holds a NUL character", exit: .badData) }
        }
        return order.body(of: inputs).members ?? []
    }

    // MARK: Recalling and remembering answers

    /// What a `generate` job does with memories, checked; nil where it does nothing.
    func checkedUse(in context: IntakeContext) throws(InputError) -> MemoryUse? {
        try refuse([("importance", importance != nil), ("key", key != nil), ("ttl", expiry != .usual)])
        guard recall != nil || remembers else {
            guard namespaces.isEmpty else { throw InputError("namespace needs recall or remember beside it", exit: .usage) }
            return nil
        }
        if let recall {
            guard (1...MemoryUse.mostRecalled).contains(recall) else {
                throw InputError("recall must be 1 to \(MemoryUse.mostRecalled) memories, not \(recall)", exit: .usage)
            }
            guard hasUserText else { throw InputError("recall needs a user's message with a text, to find memories by", exit: .badData) }
        }
        let names = namespaces.isEmpty ? [NamespaceName.usual] : Self.withoutRepeats(namespaces)
        for name in names { try NamespaceName.check(name) }
        guard names.count <= Self.mostNamespaces else {
            throw InputError("a job looks into at most \(Self.mostNamespaces) namespaces, not \(names.count)", exit: .usage)
        }
        var use = MemoryUse(recall: recall, namespaces: names, remember: remembers ? names.first : nil)
        use.usesCache = cache && context.usesCache
        return use
    }

    /// The most namespaces that one job looks into.
    private static let mostNamespaces = 100

    /// Takes away what the defaults say of memories, and this job has no use for.
    mutating func dropMemoryOptions() {
        (importance, expiry) = (nil, .usual)
        if kind != .generate { (recall, remembers) = (nil, false) }
        if recall == nil, !remembers { namespaces = [] }
    }

    /// Nothing of it is for an `embed` job.
    func checkUsesNoMemory() throws(InputError) {
        try refuse([
            ("namespace", !namespaces.isEmpty), ("importance", importance != nil), ("key", key != nil), ("ttl", expiry != .usual),
            ("recall", recall != nil), ("remember", remembers),
        ])
    }

    /// Whether a message of the user holds a text.
    private var hasUserText: Bool {
        if prompt != nil { return true }
        return (messages ?? []).contains { message in
            guard message["role"]?.string == "user" else { return false }
            return message["content"]?.string != nil || message["content"]?.array?.contains { $0["text"]?.string != nil } == true
        }
    }

    private func refuse(_ given: [(name: String, isGiven: Bool)]) throws(InputError) {
        guard let name = given.first(where: \.isGiven)?.name else { return }
        let article = kind == .embed ? "an" : "a"
        throw InputError("\(name) has no meaning for \(article) \(kind.rawValue) job", exit: .usage)
    }
}
