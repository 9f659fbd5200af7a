import AgentQueueModel

/// What jobs must have in common to be answered by the same process, one after another. (Credentials are the same for all jobs of a
/// provider.)
struct ClaudeCodeKey: Sendable, Hashable {
    /// The model's name or alias.
    var model: String
    /// The system text. An empty one replaces the program's own, which is long.
    var system = ""
    /// The JSON Schema that the answer must follow, as text; nil for none.
    var schema: String?
    /// The limit of the answer's tokens; nil for the program's own.
    var maxTokens: Int?
    /// Thinking effort, `low` to `max`; nil for the model's default.
    var effort: String?
    /// `adaptive` or `disabled`; nil for the model's default.
    var thinking: String?
    /// The limit of thinking tokens; nil for the model's default.
    var maxThinkingTokens: Int?
}

extension ClaudeCodeKey {
    /// Members that do not change the answer, or that are for the queue.
    private static let ignored: Set<String> = [
        "messages", "sample", "stream", "stream_options", "user", "metadata", "safety_identifier", "service_tier", "store",
        "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
    ]
    private static let efforts = ["low", "medium", "high", "xhigh", "max"]

    /// Reads a request's parameters.
    /// - Throws: `ModelFailure` (`permanent`) that names everything the program cannot be told.
    mutating func read(_ members: [JSONValue.Member]) throws(ModelFailure) {
        var unknown: [String] = []
        for member in members where !Self.ignored.contains(member.key) && !Self.isEmpty(member.value) {
            switch member.key {
            case "max_tokens", "max_completion_tokens":
                guard let count = member.value.int, count > 0 else {
                    throw ClaudeCodePrompt.refusal("needs a whole number above 0 as \(member.key)")
                }
                maxTokens = min(maxTokens ?? count, count)
            case "n" where member.value.int == 1: break
            case "reasoning_effort": effort = try Self.effort(member.value, named: member.key)
            case "thinking": try read(thinking: member.value)
            case "response_format": try read(format: member.value, named: member.key)
            case "output_config": try read(outputConfiguration: member.value)
            default: unknown.append(member.key)
            }
        }
        guard unknown.isEmpty else {
            let names = unknown.sorted().prefix(8).joined(separator: ", ")
            throw ClaudeCodePrompt.refusal("has no means to be told \(names): leave it out, or give this job another target")
        }
    }

    private static func isEmpty(_ value: JSONValue) -> Bool { value.isNull || value.array?.isEmpty == true }

    private static func effort(_ value: JSONValue, named name: String) throws(ModelFailure) -> String {
        guard let effort = value.string, efforts.contains(effort) else {
            throw ClaudeCodePrompt.refusal("knows as \(name): \(efforts.joined(separator: ", "))")
        }
        return effort
    }

    private mutating func read(thinking value: JSONValue) throws(ModelFailure) {
        let extras = (value.members ?? []).map(\.key).filter { !["type", "budget_tokens", "display"].contains($0) }
        switch value["type"]?.string {
        case "adaptive" where extras.isEmpty: thinking = "adaptive"
        case "disabled" where extras.isEmpty: thinking = "disabled"
        case "enabled" where extras.isEmpty && value["budget_tokens"]?.int ?? 0 > 0: maxThinkingTokens = value["budget_tokens"]?.int
        default: throw ClaudeCodePrompt.refusal("knows as thinking: adaptive, disabled, enabled with budget_tokens")
        }
    }

    private mutating func read(outputConfiguration value: JSONValue) throws(ModelFailure) {
        for member in value.members ?? [] where !Self.isEmpty(member.value) {
            switch member.key {
            case "effort": effort = try Self.effort(member.value, named: "output_config.effort")
            case "format": try read(format: member.value, named: "output_config.format")
            default: throw ClaudeCodePrompt.refusal("has no means to be told output_config.\(member.key)")
            }
        }
    }

    /// OpenAI's form keeps the schema in `json_schema.schema`, Anthropic's in `schema`.
    private mutating func read(format value: JSONValue, named name: String) throws(ModelFailure) {
        switch value["type"]?.string {
        case "text": schema = nil
        case "json_schema":
            guard let schema = value["json_schema"]?["schema"] ?? value["schema"], schema.members != nil else {
                throw ClaudeCodePrompt.refusal("needs a JSON Schema, an object, in \(name)")
            }
            let text = schema.text
            guard text.utf8.count <= ClaudeCodePrompt.maxSchemaBytes else {
                throw ClaudeCodePrompt.refusal("takes a JSON Schema of at most \(ClaudeCodePrompt.maxSchemaBytes) bytes")
            }
            self.schema = text
        default:
            throw ClaudeCodePrompt.refusal("knows as \(name): text, json_schema")
        }
    }
}
