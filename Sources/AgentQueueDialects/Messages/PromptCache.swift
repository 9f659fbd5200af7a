import AgentQueueModel

extension PromptCache {
    /// How long the cache keeps what a mark (`cache_control`) covers, in ms.
    package static func timeToLive(of mark: JSONValue) -> Int64 {
        mark["ttl"]?.string == PromptCache.oneHour.rawValue ? 3_600_000 : 300_000
    }

    /// The mark to set; nil for none.
    package var mark: JSONValue? {
        switch self {
        case .off: nil
        // Five minutes are the server's default, and older servers know nothing else.
        case .fiveMinutes: ["type": "ephemeral"]
        case .oneHour: ["type": "ephemeral", "ttl": "1h"]
        }
    }
}

/// What requests must have in common for one of them to profit from what another has written to Anthropic's prompt cache.
package struct PromptPrefix: Sendable, Hashable {
    /// A hash of the content. If two contents had the same one, a request would wait for nothing, and no more.
    package let hash: Int
    /// How long the cache keeps it after each use, in ms.
    package let timeToLive: Int64
}

extension PromptPrefix {
    /// Reads a body in Anthropic's form; nil if it marks nothing.
    ///
    /// The cache covers tools, system and messages, in this order, up to a mark. The last mark in the first two is used, because many
    /// requests share them. If there is none, the first mark in the messages is: later ones belong to a single conversation.
    package init?(_ body: JSONValue) {
        let tools = body["tools"]?.array ?? []
        let system = body["system"]?.array ?? []
        let blocks = (body["messages"]?.array ?? []).flatMap { $0["content"]?.array ?? [] }
        var hasher = Hasher()
        hasher.combine(body["model"])
        let mark: JSONValue?
        if let last = system.lastIndex(where: \.isMarked) {
            hasher.combine(tools)
            hasher.combine(system[...last])
            mark = system[last].cacheControl
        } else if let last = tools.lastIndex(where: \.isMarked) {
            hasher.combine(tools[...last])
            mark = tools[last].cacheControl
        } else {
            // A mark at the top level is one at the very end.
            let first = blocks.firstIndex(where: \.isMarked) ?? max(0, blocks.count - 1)
            hasher.combine(tools)
            hasher.combine(system)
            hasher.combine(blocks.prefix(first + 1).map(\.self))
            mark = blocks.isEmpty ? nil : blocks[first].cacheControl ?? body.cacheControl
        }
        guard let mark else { return nil }
        hash = hasher.finalize()
        timeToLive = PromptCache.timeToLive(of: mark)
    }
}

extension AnthropicTranslation {
    /// Marks what requests like this one share, tools and system text, for the prompt cache, unless the request marks something itself.
    package mutating func markPrefix(_ mark: JSONValue) {
        guard !marksSomething else { return }
        if let last = tools.indices.last { tools[last] = tools[last].marked(mark) }
        // Of these two, the last comes last.
        if let last = systemMessages.indices.last {
            systemMessages[last] = systemMessages[last].marked(mark)
        } else if let last = system.indices.last {
            system[last] = system[last].marked(mark)
        }
    }

    private var marksSomething: Bool {
        rest.contains { $0.key == "cache_control" } || (tools + system + systemMessages).contains(where: \.isMarked)
            || turns.contains { $0.blocks.contains(where: \.isMarked) }
    }
}

extension JSONValue {
    /// The cache mark of the block, or of the last block inside it.
    package var cacheControl: JSONValue? {
        if let mark = self["cache_control"], !mark.isNull { return mark }
        return self["content"]?.array?.reversed().lazy.compactMap(\.cacheControl).first
    }

    /// Whether the block, or one inside it, has a cache mark.
    package var isMarked: Bool { cacheControl != nil }

    /// The block with a cache mark; unchanged if it has one.
    package func marked(_ mark: JSONValue) -> JSONValue {
        guard let members, !members.contains(where: { $0.key == "cache_control" && !$0.value.isNull }) else { return self }
        return .object(members.filter { $0.key != "cache_control" } + [.init("cache_control", mark)])
    }
}
