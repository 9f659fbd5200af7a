import AgentQueueModel
import AgentQueueSettings

extension JobDraft {
    /// The draft as a line of our own JSONL, which reads back as the same. Left out: `at`, `after` and `unique_key`, and whether it is
    /// streamed.
    var lineMembers: [JSONValue.Member] {
        var line = LineWriter()
        line.add("kind", kind.rawValue)
        line.add("prompt", prompt)
        line.add("messages", messages.map(JSONValue.array))
        line.add("system", system)
        line.add(kind == .memorize ? "text" : "input", inputs.map { .array($0.map(JSONValue.string)) })
        line.add("role", role)
        line.add("model", model)
        line.add("max_tokens", maxTokens)
        line.add("temperature", temperature)
        line.add("schema", schema)
        line.add("sample", sample)
        line.members += parameters
        addSettings(to: &line)
        addMemory(to: &line)
        return line.members
    }

    private func addSettings(to line: inout LineWriter) {
        line.add("queue", queue)
        line.add("priority", priority)
        line.add("delay", delay)
        line.add("expires_in", expiresIn)
        line.add("max_attempts", maxAttempts)
        line.add("timeout", timeout)
        line.add("budget", budget)
        line.add("custom_id", customID)
        line.add("tags", tags)
        line.add("batch", batch)
        line.add("metadata", metadata)
        if !cache { line.add("cache", JSONValue.bool(false)) }
        line.add("cache_ttl", cacheTTL)
        line.add("batch_api", batchAPI.map(JSONValue.bool))
        line.add("deadline", deadline)
        line.add("on_finish", onFinish)
    }

    private func addMemory(to line: inout LineWriter) {
        line.add("namespace", namespaces)
        line.add("key", key)
        line.add("importance", importance)
        switch expiry {
        case .usual: break
        case .after(let span): line.add("ttl", span)
        case .never: line.add("ttl", "never")
        }
        line.add("recall", recall)
        if remembers { line.add("remember", JSONValue.bool(true)) }
    }

    /// Gathers the members of a line; what is not there is left out.
    private struct LineWriter {
        var members: [JSONValue.Member] = []

        mutating func add(_ key: String, _ value: JSONValue?) {
            if let value { members.append(.init(key, value)) }
        }

        mutating func add(_ key: String, _ text: String?) { add(key, text.map(JSONValue.string)) }
        mutating func add(_ key: String, _ number: Int?) { add(key, number.map { .integer(Int64($0)) }) }
        mutating func add(_ key: String, _ number: Double?) { add(key, number.map(JSONValue.double)) }

        mutating func add(_ key: String, _ texts: [String]) {
            if !texts.isEmpty { add(key, .array(texts.map(JSONValue.string))) }
        }

        mutating func add(_ key: String, _ duration: Duration?) {
            add(key, duration.map { .string(DurationText.format($0)) })
        }
    }
}
