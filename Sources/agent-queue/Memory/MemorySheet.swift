import AgentQueue
import JobModel
import QueueStore

/// A memory in detail, for people.
struct MemorySheet {
    let stored: MemoryRecord
    let now: Int64

    var lines: [String] {
        let memory = stored.memory
        var sheet = Sheet()
        sheet.add("id", "\(memory.id)")
        sheet.add("namespace", DisplayText.line(memory.namespace))
        sheet.add("key", memory.key.map { DisplayText.line($0) })
        sheet.add("importance", Figures.decimal(memory.importance, places: 2))
        sheet.add("created", Figures.time(memory.createdAt, now: now))
        sheet.add("recalled", memory.recalledAt.map { Figures.time($0, now: now) })
        sheet.add("expires", memory.expiresAt.map { Figures.time($0, now: now) } ?? "never")
        sheet.add("metadata", memory.metadata.map { JSONText.text($0) })
        sheet.add("model", stored.model.map { DisplayText.line($0.target) })
        sheet.add("vector", stored.vector.map { JSONText.text(VectorText.json($0)) })
        guard !memory.text.isEmpty else { return sheet.lines }
        let text = DisplayText.lines(memory.text).split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
        return sheet.lines + [""] + text
    }
}
