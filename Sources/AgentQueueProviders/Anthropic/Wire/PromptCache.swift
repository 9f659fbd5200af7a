import AgentQueueModel

/// Whether requests that say nothing about Anthropic's prompt cache use it, and how long it keeps what they share.
package enum PromptCache: String, Sendable, CaseIterable {
    /// They do not. Those that mark something themselves do.
    case off
    /// Five minutes from the last use; writing costs a quarter more than plain input.
    case fiveMinutes = "5m"
    /// An hour from the last use; writing costs twice as much as plain input.
    case oneHour = "1h"

    /// How long it keeps what a mark (`cache_control`) stands behind, in ms.
    static func timeToLive(of mark: JSONValue) -> Int64 {
        mark["ttl"]?.string == PromptCache.oneHour.rawValue ? 3_600_000 : 300_000
    }

    /// The mark it sets; nil where it sets none.
    var mark: JSONValue? {
        switch self {
        case .off: nil
        // Five minutes are the server's default: older servers know no other.
        case .fiveMinutes: ["type": "ephemeral"]
        case .oneHour: ["type": "ephemeral", "ttl": "1h"]
        }
    }
}

/// What requests must share for one of them to profit from what another has put into Anthropic's prompt cache.
struct PromptPrefix: Sendable, Hashable {
    /// Stands for the content. Should two contents ever have the same, a request waits in vain, and no more.
    let hash: Int
    /// How long the cache keeps it after each use, in ms.
    let timeToLive: Int64
}

extension PromptPrefix {
    /// Reads a request's body in Anthropic's form; nil where it marks nothing.
    ///
    /// The cache goes by tools, system, messages, in this order, up to a mark. The last mark in the first two counts, as those are
    /// what many requests have in common; without one, the first in the messages: the later ones are each conversation's own.
    init?(_ body: JSONValue) {
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
            // A mark at the top is one at the very end.
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
    /// Marks what requests like this one share, the tools and the system text, for the prompt cache; not where the request marks
    /// something itself.
    mutating func markPrefix(_ mark: JSONValue) {
        guard !marksSomething else { return }
        if let last = tools.indices.last { tools[last] = tools[last].marked(mark) }
        // The last of these two is what stands last.
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
    /// The block's mark for the prompt cache, or that of the last block inside it.
    var cacheControl: JSONValue? {
        if let mark = self["cache_control"], !mark.isNull { return mark }
        return self["content"]?.array?.reversed().lazy.compactMap(\.cacheControl).first
    }

    /// Whether the block, or one inside it, is marked for the prompt cache.
    var isMarked: Bool { cacheControl != nil }

    /// The block with a mark of its own; as it is where it has one.
    func marked(_ mark: JSONValue) -> JSONValue {
        guard let members, !members.contains(where: { $0.key == "cache_control" && !$0.value.isNull }) else { return self }
        return .object(members.filter { $0.key != "cache_control" } + [.init("cache_control", mark)])
    }
}
