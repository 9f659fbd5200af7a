import JobModel
import ModelCalls

/// A chat request as the responses API knows it (protocols.md 3.7).
struct ResponsesRequest: Sendable, Equatable {
    private var members: [JSONValue.Member]
    private var text: [JSONValue.Member] = []

    /// Translates a request.
    /// - Throws: `ModelFailure` (`permanent`), where something that changes the answer has no counterpart.
    init(_ chat: ChatRequest) throws(ModelFailure) {
        members = [.init("model", .string(chat.model))]
        for member in chat.members where !member.value.isNull { try take(member) }
        if !text.isEmpty { members.append(.init("text", .object(text))) }
        // Unlike a chat, a response is kept for a month unless told.
        if chat["store"] == nil { members.append(.init("store", false)) }
    }

    /// The body to send to `/responses`.
    func body(streams: Bool) -> JSONValue {
        .object(members + (streams ? [.init("stream", true)] : []))
    }

    static func noCounterpart(_ what: String) -> ModelFailure {
        ModelFailure.unsent("\(what) has no counterpart in the responses API, the only one that this model answers: take it out")
    }

    private mutating func take(_ member: JSONValue.Member) throws(ModelFailure) {
        switch member.key {
        case "messages": members += try Self.input(member.value)
        case "max_tokens", "max_completion_tokens":
            if !members.contains(where: { $0.key == "max_output_tokens" }) { members.append(.init("max_output_tokens", member.value)) }
        case "reasoning_effort": members.append(.init("reasoning", ["effort": member.value]))
        case "verbosity": text.append(member)
        case "response_format": text.append(.init("format", Self.flat(member.value, "json_schema")))
        case "tools":
            members.append(.init("tools", .array((member.value.array ?? []).map(Self.tool))))
        case "tool_choice":
            members.append(.init("tool_choice", Self.flat(Self.flat(member.value, "function"), "custom")))
        case "n" where member.value == 1: break
        case "presence_penalty" where member.value.number == 0, "frequency_penalty" where member.value.number == 0: break
        case "logprobs" where member.value == false: break
        case "n", "stop", "seed", "logit_bias", "logprobs", "presence_penalty", "frequency_penalty", "audio", "modalities", "prediction",
            "functions", "function_call", "web_search_options":
            throw Self.noCounterpart("'\(member.key)'")
        default: members.append(member)
        }
    }

    /// What a chat nests under the name of its type stands beside the type here.
    private static func flat(_ value: JSONValue, _ name: String) -> JSONValue {
        guard let inner = value[name]?.members, let outer = value.members else { return value }
        return .object(outer.filter { $0.key != name } + inner)
    }

    private static func tool(_ tool: JSONValue) -> JSONValue {
        let flat = flat(flat(tool, "function"), "custom")
        // Strict is what a response is, and a chat is not, unless told.
        guard tool["function"] != nil, flat["strict"] == nil, let members = flat.members else { return flat }
        return .object(members + [.init("strict", false)])
    }
}
