import AgentQueueModel
import AgentQueueSettings

extension JobLine {
    /// Reads a request of Anthropic's message batches: `custom_id`, `params`. The system text becomes the first message and keeps its
    /// blocks, `stop_sequences` becomes `stop`, and other parameters are passed through.
    func readAnthropic(_ members: [JSONValue.Member], into line: inout Reading) throws(InputError) {
        var parameters: [JSONValue.Member] = []
        for member in members {
            switch member.key {
            case "custom_id": try line.say(member)
            case "params": parameters = try member.requiredObject()
            default:
                let hint = Suggestion.hint(for: member.key, in: ["custom_id", "params"])
                throw InputError("unknown key \(InvalidText.quoted(member.key)) in an Anthropic batch line\(hint)", kind: .badData)
            }
        }
        guard line.draft.customID != nil else { throw InputError("an Anthropic batch line needs a custom_id", kind: .badData) }
        line.draft.kind = .generate

        var system: JSONValue?
        var saysSystem = false
        for member in parameters where !member.value.isNull {
            switch member.key {
            case "model":
                try refuseOpenAI(model: member)
                try sayModel(member, provider: "anthropic", in: &line)
            case "messages", "max_tokens", "temperature": try line.say(member)
            case "system":
                system = try Self.systemContent(member)
                saysSystem = true
            case "stop_sequences": line.draft.parameters.append(.init("stop", .array(try member.requiredStrings().map(JSONValue.string))))
            case "stop": throw InputError("unknown key 'stop' in params (did you mean 'stop_sequences'?)", kind: .badData)
            case let key where Self.openAIKeys.contains(key):
                throw InputError(
                    "params holds \(InvalidText.quoted(key)), which only OpenAI's requests have\(Self.openAIHint)", kind: .badData)
            default: line.draft.parameters.append(member)
            }
        }
        guard let messages = line.draft.messages else { throw InputError("params needs messages", kind: .badData) }
        try checkModel(of: line)
        if saysSystem { line.draft.system = nil }
        if let system, !messages.isEmpty {
            line.draft.messages = [.object([.init("role", "system"), .init("content", system)])] + messages
        }
        dropDefaults(&line)
    }

    /// Members of OpenAI's requests that Anthropic's API refuses.
    private static let openAIKeys: Set = [
        "max_completion_tokens", "response_format", "reasoning_effort", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs",
        "top_logprobs", "seed", "n", "parallel_tool_calls", "functions", "function_call", "prompt", "input",
    ]

    private static let openAIHint = "; write an OpenAI request as {\"custom_id\": …, \"url\": \"/v1/chat/completions\", \"body\": {…}}"

    /// Sent to Anthropic, every such line would fail.
    private func refuseOpenAI(model member: JSONValue.Member) throws(InputError) {
        guard provider == nil, let name = member.value.string, name.hasPrefix("gpt-") || name.hasPrefix("chatgpt-") else { return }
        throw InputError("params names \(InvalidText.quoted(name)), a model of OpenAI's\(Self.openAIHint)", kind: .badData)
    }

    /// A string, or a list of text blocks with their `cache_control`; nil if it is empty.
    private static func systemContent(_ member: JSONValue.Member) throws(InputError) -> JSONValue? {
        switch member.value {
        case .string(""), .array([]):
            return Optional.none
        case .string:
            return member.value
        case .array(let blocks):
            for block in blocks {
                guard block["type"]?.string == "text", block["text"]?.string != nil else {
                    throw InputError("system must be a string or a list of text blocks", kind: .badData)
                }
            }
            return member.value
        default:
            throw InputError("system must be a string or a list of text blocks, not \(member.value.kindName)", kind: .badData)
        }
    }
}
