import JobModel

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
