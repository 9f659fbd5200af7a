import AgentQueueModel
import AgentQueueSettings

extension JobLine {
    /// Reads a line of OpenAI's batch input: `custom_id`, `method`, `url`, `body`. Unknown members of the body are passed through.
    func readOpenAI(_ members: [JSONValue.Member], into line: inout Reading) throws(InputError) {
        let known = ["custom_id", "method", "url", "body"]
        var url: String?
        var body: [JSONValue.Member] = []
        for member in members {
            switch member.key {
            case "custom_id": try line.say(member)
            case "url": url = try member.requiredString()
            case "body": body = try member.requiredObject()
            case "method":
                let method = try member.requiredString()
                guard method == "POST" else {
                    throw InputError("method must be POST, not \(InvalidText.quoted(method))", kind: .badData)
                }
            default:
                let hint = Suggestion.hint(for: member.key, in: known)
                throw InputError("unknown key \(InvalidText.quoted(member.key)) in an OpenAI batch line\(hint)", kind: .badData)
            }
        }
        guard line.draft.customID != nil else { throw InputError("an OpenAI batch line needs a custom_id", kind: .badData) }
        switch url {
        case "/v1/chat/completions": line.draft.kind = .generate
        case "/v1/embeddings": line.draft.kind = .embed
        case nil:
            throw InputError("an OpenAI batch line needs a url (/v1/chat/completions or /v1/embeddings)", kind: .badData)
        case let other?:
            throw InputError(
                "url \(InvalidText.quoted(other)) is not supported (/v1/chat/completions and /v1/embeddings are)", kind: .badData)
        }
        if body.contains(where: { $0.key == "max_completion_tokens" && !$0.value.isNull }) { line.draft.maxTokens = nil }
        for member in body where !member.value.isNull {
            switch member.key {
            case "model": try sayModel(member, provider: nil, in: &line)
            case "messages", "input", "max_tokens", "temperature": try line.say(member)
            default: line.draft.parameters.append(member)
            }
        }
        if line.draft.kind == .generate, line.draft.messages == nil { throw InputError("the body needs messages", kind: .badData) }
        dropDefaults(&line)
    }

    private func sayModel(_ member: JSONValue.Member, provider: String?, in line: inout Reading) throws(InputError) {
        let name = try member.requiredString()
        try line.say(.init(member.key, .string(target(of: name, kind: line.draft.kind, provider: provider))))
    }

    /// The target for a model's name in a batch line. A name that begins with a configured provider is used as it is. Any other belongs to
    /// `provider` if that is configured, or else to the provider of the default target.
    func target(of name: String, kind: JobKind, provider: String?) -> String {
        if let named = Target(name), context.identity(named.provider) != nil { return name }
        if let provider, context.identity(provider) != nil { return "\(provider)/\(name)" }
        let standard = kind == .embed ? context.defaultEmbeddingTarget : context.defaultTarget
        let owner = template.model.flatMap { Target($0)?.provider } ?? standard.provider
        return "\(owner)/\(name)"
    }
}

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
            case "model": try sayModel(member, provider: "anthropic", in: &line)
            case "messages", "max_tokens", "temperature": try line.say(member)
            case "system":
                system = try Self.systemContent(member)
                saysSystem = true
            case "stop_sequences": line.draft.parameters.append(.init("stop", .array(try member.requiredStrings().map(JSONValue.string))))
            case "stop": throw InputError("unknown key 'stop' in params (did you mean 'stop_sequences'?)", kind: .badData)
            default: line.draft.parameters.append(member)
            }
        }
        guard let messages = line.draft.messages else { throw InputError("params needs messages", kind: .badData) }
        if saysSystem { line.draft.system = nil }
        if let system, !messages.isEmpty {
            line.draft.messages = [.object([.init("role", "system"), .init("content", system)])] + messages
        }
        dropDefaults(&line)
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
