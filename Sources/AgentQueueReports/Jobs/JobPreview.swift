import AgentQueueModel

/// A job on one line.
package enum JobPreview {
    /// Maximum number of characters.
    private static let limit = 160

    /// The start of the prompt.
    package static func prompt(_ job: Job) -> String {
        if let messages = job.request["messages"]?.array {
            let asked = messages.last { $0["role"]?.string == "user" } ?? messages.last
            return asked.map { message in text(of: message["content"]) } ?? ""
        }
        if let inputs = job.request["input"]?.array, let first = inputs.first?.string {
            return cut(first) + (inputs.count > 1 ? " (+\(inputs.count - 1))" : "")
        }
        return cut(job.request["input"]?.string ?? job.request["text"]?.string ?? "")
    }

    /// The whole prompt: the text of the last message of the user, or the inputs.
    package static func wholePrompt(_ job: Job) -> String {
        if let messages = job.request["messages"]?.array {
            let asked = messages.last { $0["role"]?.string == "user" } ?? messages.last
            guard let content = asked?["content"] else { return "" }
            return content.string ?? (content.array ?? []).compactMap { $0["text"]?.string }.joined(separator: "\n")
        }
        let inputs = (job.request["input"]?.array ?? []).compactMap(\.string)
        return inputs.isEmpty ? job.request["input"]?.string ?? job.request["text"]?.string ?? "" : inputs.joined(separator: "\n")
    }

    /// The start of the answer, or the last error.
    package static func answer(_ job: Job) -> String {
        if let result = job.result {
            if let text = result.reply["text"]?.string { return cut(text) }
            if let vectors = result.reply["embeddings"]?.array {
                return Figures.count(vectors.count, "vector") + " of \(vectors.first?.array?.count ?? 0) dimensions"
            }
            if let memories = result.reply["memory_ids"]?.array {
                return "stored as \(cut(memories.map(\.text).joined(separator: ", ")))"
            }
            return cut(result.reply.text)
        }
        return job.errors.last.map { cut($0.message) } ?? ""
    }

    /// The time from the claim of its last attempt to its end; empty for a job that is not over, or that no worker claimed.
    package static func took(_ job: Job) -> String {
        guard let began = job.attemptedAt, let ended = job.finalizedAt else { return "" }
        return Figures.duration(milliseconds: max(0, ended - began))
    }

    private static func text(of content: JSONValue?) -> String {
        if let text = content?.string { return cut(text) }
        let parts = content?.array ?? []
        return cut(parts.compactMap { $0["text"]?.string }.first ?? "")
    }

    private static func cut(_ text: String) -> String {
        DisplayText.line(text, limit: limit)
    }
}
