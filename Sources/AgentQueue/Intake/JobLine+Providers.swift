import AgentQueueModel
import AgentQueueSettings

extension JobLine {
    /// A line of OpenAI's batch input: `custom_id`, `method`, `url`, `body`. The body's unknown members are passed through.
    func openAIDraft(_ members: [JSONValue.Member]) throws(InputError) -> JobDraft {
        let known = ["custom_id", "method", "url", "body"]
        var draft = template
        draft.customID = nil
        var url: String?
        var body: [JSONValue.Member] = []
        for member in members {
            switch member.key {
            case "custom_id": draft.customID = try member.requiredString()
            case "url": url = try member.requiredString()
            case "body": body = try member.requiredObject()
            case "method":
                let method = try member.requiredString()
                guard method == "POST" else {
                    throw InputError("method must be POST, not \(InvalidText.quoted(method))", exit: .badData)
                }
            default:
                let hint = Suggestion.hint(for: member.key, in: known)
                throw InputError("unknown key \(InvalidText.quoted(member.key)) in an OpenAI batch line\(hint)", exit: .badData)
            }
        }
        guard draft.customID != nil else { throw InputError("an OpenAI batch line needs a custom_id", exit: .badData) }
        switch url {
        case "/v1/chat/completions": draft.kind = .generate
        case "/v1/embeddings": draft.kind = .embed
        case nil:
            throw InputError("an OpenAI batch line needs a url (/v1/chat/completions or /v1/embeddings)", exit: .badData)
        case let other?:
            throw InputError(
                "url \(InvalidText.quoted(other)) is not supported (/v1/chat/completions and /v1/embeddings are)", exit: .badData)
        }
        try apply(body, to: &draft)
        return draft
    }

    private func apply(_ body: [JSONValue.Member], to draft: inout JobDraft) throws(InputError) {
        if draft.kind == .embed {
            draft.maxTokens = nil
            draft.temperature = nil
        } else if body.contains(where: { $0.key == "max_completion_tokens" && !$0.value.isNull }) {
            draft.maxTokens = nil
        }
        for member in body where !member.value.isNull {
            switch member.key {
            case "model": draft.model = target(of: try member.requiredString(), kind: draft.kind, provider: nil)
            case "messages": draft.messages = try member.requiredList()
            case "input": draft.inputs = try member.requiredInputs()
            case "max_tokens": draft.maxTokens = try member.requiredInteger()
            case "temperature": draft.temperature = try member.requiredNumber()
            default: draft.parameters.append(member)
            }
        }
        if draft.kind == .generate, draft.messages == nil {
            throw InputError("the body needs messages", exit: .badData)
        }
        draft.dropMemoryOptions()
        settle(&draft, lineSaysSystem: false)
    }

    /// A model's name in a batch line as a target. A name that begins with a configured provider stays; a bare one belongs to
    /// `provider`, if that is configured, else to the provider of the default target.
    func target(of name: String, kind: JobKind, provider: String?) -> String {
        if let named = Target(name), context.identity(named.provider) != nil { return name }
        if let provider, context.identity(provider) != nil { return "\(provider)/\(name)" }
        let standard = kind == .embed ? context.defaultEmbeddingTarget : context.defaultTarget
        let owner = defaults.model.flatMap { Target($0)?.provider } ?? standard.provider
        return "\(owner)/\(name)"
    }
}

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
