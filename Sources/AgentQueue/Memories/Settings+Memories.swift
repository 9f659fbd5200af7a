import JobModel
import QueueStore
import Settings
import WorkerPool

extension Settings {
    /// What the configured embedding model makes vectors of; nil where `memory.vectors` is off.
    var embeddingTarget: Target? { memory.vectors ? Target(memory.embeddingModel) : nil }

    /// What a model wants to see before a text. (Until the configuration says it: E5 models are trained with these.)
    func embeddingPrefix(of target: Target, for purpose: TextPurpose) -> String {
        let words = target.model.lowercased().split { !$0.isLetter && !$0.isNumber }
        guard words.contains("e5") else { return "" }
        return purpose == .query ? "query: " : "passage: "
    }

    /// How long the memories of a namespace are kept that do not say it themselves, in ms.
    func memoryRetention(of namespace: String) -> Int64 { memory.retention.milliseconds }
}
