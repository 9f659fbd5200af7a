import JobModel

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
