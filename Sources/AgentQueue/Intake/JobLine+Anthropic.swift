import JobModel
import Settings

extension JobLine {
    /// A request of Anthropic's message batches: `custom_id`, `params`. The system text becomes the first message, its blocks kept;
    /// `stop_sequences` becomes `stop`; other parameters are passed through.
    func anthropicDraft(_ members: [JSONValue.Member]) throws(InputError) -> JobDraft {
        var draft = template
        draft.customID = nil
        var parameters: [JSONValue.Member] = []
        for member in members {
            switch member.key {
            case "custom_id": draft.customID = try member.requiredString()
            case "params": parameters = try member.requiredObject()
            default:
                let hint = Suggestion.hint(for: member.key, in: ["custom_id", "params"])
                throw InputError("unknown key \(InvalidText.quoted(member.key)) in an Anthropic batch line\(hint)", exit: .badData)
            }
        }
        guard draft.customID != nil else { throw InputError("an Anthropic batch line needs a custom_id", exit: .badData) }
        draft.kind = .generate

        var system: JSONValue?
        var saysSystem = false
        for member in parameters where !member.value.isNull {
            switch member.key {
            case "model": draft.model = target(of: try member.requiredString(), kind: .generate, provider: "anthropic")
            case "messages": draft.messages = try member.requiredList()
            case "system":
                system = try Self.systemContent(member)
                saysSystem = true
            case "max_tokens": draft.maxTokens = try member.requiredInteger()
            case "temperature": draft.temperature = try member.requiredNumber()
            case "stop_sequences": draft.parameters.append(.init("stop", .array(try member.requiredStrings().map(JSONValue.string))))
            case "stop": throw InputError("unknown key 'stop' in params (did you mean 'stop_sequences'?)", exit: .badData)
            default: draft.parameters.append(member)
            }
        }
        guard let messages = draft.messages else { throw InputError("params needs messages", exit: .badData) }
        if saysSystem { draft.system = nil }
        if let system, !messages.isEmpty {
            draft.messages = [.object([.init("role", "system"), .init("content", system)])] + messages
        }
        draft.dropMemoryOptions()
        settle(&draft, lineSaysSystem: false)
        return draft
    }

    /// A string, or a list of text blocks, which keep their `cache_control`; nil for an empty one.
    private static func systemContent(_ member: JSONValue.Member) throws(InputError) -> JSONValue? {
        switch member.value {
        case .string(""), .array([]):
            return Optional.none
        case .string:
            return member.value
        case .array(let blocks):
            for block in blocks {
                guard block["type"]?.string == "text", block["text"]?.string != nil else {
                    throw InputError("system must be a string or a list of text blocks", exit: .badData)
                }
            }
            return member.value
        default:
            throw InputError("system must be a string or a list of text blocks, not \(member.value.kindName)", exit: .badData)
        }
    }
}
