import JobModel
import Settings

extension Settings {
    /// What the configured embedding model makes vectors of; nil where `memory.vectors` is off.
    var embeddingTarget: Target? { memory.vectors ? Target(memory.embeddingModel) : nil }

    /// How long the memories of a namespace are kept that do not say it themselves, in ms.
    func memoryRetention(of namespace: String) -> Int64 {
        (memory.namespaces[namespace]?.retention ?? memory.retention).milliseconds
    }
}
