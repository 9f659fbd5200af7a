import AgentQueue
import JobModel
import QueueStore
import Settings

/// Looks at the namespaces of memory: whether what made their vectors can be asked for more.
enum MemoryExam {
    /// - Parameter unavailable: why providers cannot be called from here, by name.
    static func findings(_ store: QueueStore, _ settings: Settings, unavailable: [String: String]) throws -> [Finding] {
        let namespaces = try store.readMemories { try $0.namespaces() }
        return namespaces.compactMap { finding(on: $0, settings, unavailable) }
    }

    private static func finding(on namespace: MemoryNamespace, _ settings: Settings, _ unavailable: [String: String]) -> Finding? {
        guard let model = namespace.space?.model, let target = Target(model.target) else { return nil }
        let subject = "memory \(InvalidText.quoted(namespace.name))"
        if let building = namespace.building {
            return .note(
                subject, "is being embedded again by \(building.model.target); workers do it, and until then \(target) is searched")
        }
        let remedy = "'agent-queue memory reembed \(namespace.name)' changes it"
        if let reason = unavailable[target.provider] ?? (settings.providers[target.provider] == nil ? "it is not configured" : nil) {
            return .note(
                subject,
                "needs provider \(target.provider) for its model \(target), which cannot be called: \(reason). Words can be searched "
                    + "(--mode words), and \(remedy)")
        }
        guard settings.memory.vectors else { return nil }
        if target != settings.embeddingTarget {
            return .note(
                subject,
                "holds vectors of \(target), and memory.embedding_model is \(settings.embeddingTarget): nothing can be added; \(remedy)")
        }
        let prefix = settings.passagePrefix(of: target.description)
        guard model.passagePrefix != prefix else { return nil }
        return .note(
            subject,
            "was made with the prefix \(InvalidText.quoted(model.passagePrefix)), and the configuration says \(InvalidText.quoted(prefix)): "
                + "nothing can be added; \(remedy)")
    }
}
