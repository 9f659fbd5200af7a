import JobModel
import QueueStore

/// What tables show of memories.
enum MemoryPreview {
    /// The beginning of a text, on one line.
    static func text(_ memory: Memory) -> String {
        memory.text.isEmpty ? "(a vector alone)" : DisplayText.line(memory.text, limit: 160)
    }

    /// The data, as JSON on one line; nothing where there is none.
    static func metadata(_ memory: Memory) -> String {
        memory.metadata.map { DisplayText.line(JSONText.text($0), limit: 160) } ?? ""
    }
}
