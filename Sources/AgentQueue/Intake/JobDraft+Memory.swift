import AgentQueueModel
import AgentQueueSettings

/// Checks of a job's options for memories.
extension JobDraft {
    // MARK: Remembering texts

    /// The checked order of a `memorize` job.
    func checkedOrder(_ target: Target, in context: IntakeContext) throws(InputError) -> MemoryOrder {
        if let parameter = parameters.first {
            throw InputError("\(parameter.key) has no meaning for a memorize job", kind: .usage)
        }
        guard namespaces.count <= 1 else { throw InputError("a memorize job has one namespace, not \(namespaces.count)", kind: .usage) }
        let namespace = namespaces.first ?? NamespaceName.usual
        try NamespaceName.check(namespace)
        var order = MemoryOrder(namespace: namespace, prefix: context.passagePrefix(target))
        if let key {
            guard inputs?.count == 1 else { throw InputError("key belongs to one text, not to several", kind: .usage) }
            order.key = key
        }
        if let importance { order.importance = importance }
        order.expiry = expiry
        order.usesCache = cache && context.usesCache
        return order
    }

    /// The members of a `memorize` request's body, checked.
    func memorizeMembers(_ target: Target, in context: IntakeContext) throws(InputError) -> [JSONValue.Member] {
        let order = try checkedOrder(target, in: context)
        guard let inputs, !inputs.isEmpty else { throw InputError("a memorize job needs at least one text", kind: .badData) }
        guard inputs.count <= JobLimits.maxEmbedInputs else {
            throw InputError("a memorize job takes at most \(JobLimits.maxEmbedInputs) texts, not \(inputs.count)", kind: .badData)
        }
        for (index, text) in inputs.enumerated() {
            let name = inputs.count == 1 ? "the text" : "text \(index + 1)"
            guard !TextSize.isBlank(text) else { throw InputError("\(name) is empty", kind: .badData) }
            guard text.utf8.count <= MemoryLimits.maxTextBytes else {
                let limit = ByteCountText.format(Int64(MemoryLimits.maxTextBytes))
                throw InputError("\(name) is \(text.utf8.count) bytes long (a memory has at most \(limit))", kind: .badData)
            }
            guard !TextSize.holdsNUL(text) else { throw InputError("\(name) holds a NUL character", kind: .badData) }
        }
        return order.body(of: inputs).members ?? []
    }

    // MARK: Recalling and remembering answers

    /// How a `generate` job uses memories, checked; nil if it does not.
    func checkedUse(in context: IntakeContext) throws(InputError) -> MemoryUse? {
        guard recall != nil || remembers else {
            guard namespaces.isEmpty else { throw InputError("namespace needs recall or remember beside it", kind: .usage) }
            return nil
        }
        if recall != nil, !hasUserText {
            throw InputError("recall needs a user's message with a text, to find memories by", kind: .badData)
        }
        let names = namespaces.isEmpty ? [NamespaceName.usual] : Self.withoutRepeats(namespaces)
        for name in names { try NamespaceName.check(name) }
        guard names.count <= JobLimits.maxNamespaces else {
            throw InputError("a job looks into at most \(JobLimits.maxNamespaces) namespaces, not \(names.count)", kind: .usage)
        }
        var use = MemoryUse(recall: recall, namespaces: names, remember: remembers ? names.first : nil)
        use.usesCache = cache && context.usesCache
        return use
    }

    /// Whether a user message has text.
    private var hasUserText: Bool {
        if prompt != nil { return true }
        return (messages ?? []).contains { message in
            guard message["role"]?.string == "user" else { return false }
            return message["content"]?.string != nil || message["content"]?.array?.contains { $0["text"]?.string != nil } == true
        }
    }
}
