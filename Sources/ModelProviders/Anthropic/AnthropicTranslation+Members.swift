import JobModel
import ModelCalls

extension AnthropicTranslation {
    /// Takes a member of the request, which is not null.
    /// - Throws: `ModelFailure` (`permanent`).
    mutating func take(_ member: JSONValue.Member) throws(ModelFailure) {
        let value = member.value
        switch member.key {
        // The queue's own, or OpenAI's hints that change nothing about the answer.
        case "model", "sample", "stream", "stream_options", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention": break
        case "messages": try takeMessages(value)
        case "system": system += try Self.systemBlocks(value, "system")
        case "max_tokens", "max_completion_tokens": limits.append(member)
        case "stop", "stop_sequences": try takeStops(value, member.key)
        case "tools": try takeTools(value)
        case "tool_choice": toolChoice = try Self.toolChoice(value)
        case "parallel_tool_calls": callsOneTool = value == false
        case "response_format": try takeFormat(value)
        case "reasoning_effort": try takeEffort(value)
        case "output_config":
            guard let members = value.members else { throw Self.refused("output_config must be an object") }
            outputConfig += members
        case "metadata": metadata = value
        case "safety_identifier": user = value
        case "user": user = user ?? value
        case "service_tier": rest.append(.init("service_tier", try Self.serviceTier(value)))
        default:
            guard !Self.hasNoCounterpart(member) else {
                throw Self.refused("\(member.key) has no counterpart at Anthropic: leave it out, or ask another provider")
            }
            if !Self.saysNothing(member) { rest.append(member) }
        }
    }

    /// What OpenAI's models know and Anthropic's do not, when it is more than a spelled-out default.
    private static func hasNoCounterpart(_ member: JSONValue.Member) -> Bool {
        openAIMembers.contains(member.key) && !saysNothing(member)
    }

    private static let openAIMembers: Set<String> = [
        "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "modalities", "n", "prediction",
        "presence_penalty", "seed", "store", "top_logprobs", "verbosity", "web_search_options",
    ]

    /// Whether a member only spells out what goes without saying.
    private static func saysNothing(_ member: JSONValue.Member) -> Bool {
        switch member.key {
        case "frequency_penalty", "presence_penalty", "top_logprobs": member.value.number == 0
        case "logit_bias": member.value.members?.isEmpty == true
        case "logprobs", "store": member.value == false
        case "modalities": member.value == ["text"]
        case "n": member.value.int == 1
        default: false
        }
    }

    private mutating func takeStops(_ value: JSONValue, _ key: String) throws(ModelFailure) {
        switch value {
        case .string: stops.append(value)
        case .array(let texts) where texts.allSatisfy({ $0.string != nil }): stops += texts
        default: throw Self.refused("\(key) must be a string or a list of strings")
        }
    }

    private mutating func takeFormat(_ format: JSONValue) throws(ModelFailure) {
        switch format["type"]?.string {
        case "text": break
        case "json_schema":
            guard let wrapper = format["json_schema"], var schema = (wrapper["schema"] ?? .null).members else {
                throw Self.refused("response_format.json_schema holds no schema")
            }
            // What OpenAI's form says beside the schema, Anthropic's has no other place for. The name is a label.
            if let description = wrapper["description"], description.string != nil, !schema.contains(where: { $0.key == "description" }) {
                schema.append(.init("description", description))
            }
            outputMembers.append(.init("format", .object([.init("type", "json_schema"), .init("schema", .object(schema))])))
        case "json_object":
            throw Self.refused("response_format json_object has no counterpart at Anthropic: give a json_schema")
        default: throw Self.refused("response_format must be text or json_schema")
        }
    }

    private static let efforts: Set<String> = ["low", "medium", "high", "xhigh", "max"]

    private mutating func takeEffort(_ effort: JSONValue) throws(ModelFailure) {
        guard let word = effort.string, Self.efforts.contains(word) else {
            throw Self.refused("reasoning_effort has this counterpart at Anthropic: \(Self.efforts.sorted().joined(separator: ", "))")
        }
        outputMembers.append(.init("effort", effort))
    }

    private static func serviceTier(_ tier: JSONValue) throws(ModelFailure) -> JSONValue {
        switch tier.string {
        case "auto", "standard_only": return tier
        case "default": return "standard_only"
        default: throw refused("service_tier must be auto or default (Anthropic's standard_only): it has no other")
        }
    }
}
