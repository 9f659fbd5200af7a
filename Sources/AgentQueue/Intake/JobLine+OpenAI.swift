import AgentQueueDialects
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
            case "url" where member.value.isNull, "method" where member.value.isNull: break
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
        body.removeAll { $0.value.isNull }
        let (endpoint, chat) = try Self.translated(body, url)
        body = chat
        line.draft.kind = endpoint == .embeddings ? .embed : .generate
        if body.contains(where: { $0.key == "max_completion_tokens" }) { line.draft.maxTokens = nil }
        for member in body {
            switch member.key {
            case "model": try sayModel(member, provider: "openai", in: &line)
            case "input" where endpoint == .embeddings: try sayInput(member, in: &line)
            case "messages", "input", "max_tokens", "temperature": try line.say(member)
            default: line.draft.parameters.append(member)
            }
        }
        if line.draft.kind == .generate, line.draft.messages == nil { throw InputError("the body needs messages", kind: .badData) }
        try checkModel(of: line)
        dropDefaults(&line)
    }

    /// The texts to embed, or their tokens.
    private func sayInput(_ member: JSONValue.Member, in line: inout Reading) throws(InputError) {
        guard let elements = member.value.array, let first = elements.first, first.string == nil else { return try line.say(member) }
        let lists = first.array == nil ? [elements] : elements.map { $0.array ?? [] }
        guard lists.allSatisfy({ !$0.isEmpty && $0.allSatisfy { ($0.int ?? -1) >= 0 } }) else {
            throw InputError("input must be a string, a list of strings, or lists of tokens (whole numbers)", kind: .badData)
        }
        line.draft.tokenInputs = lists.map(JSONValue.array)
    }

    /// The endpoint that a body is meant for, and the body as that of a chat, or of embeddings.
    private static func translated(
        _ body: [JSONValue.Member], _ url: String?
    ) throws(InputError) -> (BatchEndpoint, [JSONValue.Member]) {
        do throws(RequestError) {
            let endpoint: BatchEndpoint
            if let url { endpoint = try .of(url) } else { endpoint = try .of(body) }
            return switch endpoint {
            case .chat, .embeddings: (endpoint, body)
            case .responses: (endpoint, try ResponsesTranslation.chat(body))
            case .completions: (endpoint, try CompletionTranslation.chat(body))
            }
        } catch {
            throw InputError(error.message, kind: .badData)
        }
    }
}

/// Where a line of a provider's batch form goes.
extension JobLine {
    func sayModel(_ member: JSONValue.Member, provider: String, in line: inout Reading) throws(InputError) {
        let name = try member.requiredString()
        try line.say(.init(member.key, .string(target(of: name, provider: provider))))
    }

    /// The target for a model's name in a batch line.
    /// - Parameter provider: whose form the line has. It is used unless the caller named one for all lines, or the name begins with a
    ///   configured one.
    private func target(of name: String, provider: String) -> String {
        if let owner = self.provider { return name.hasPrefix("\(owner)/") ? name : "\(owner)/\(name)" }
        if let named = Target(name), context.identity(named.provider) != nil { return name }
        return "\(provider)/\(name)"
    }

    /// A provider was named for all lines, but neither the line nor a default has a model.
    func checkModel(of line: Reading) throws(InputError) {
        guard let provider, !line.says("model") else { return }
        guard let model = template.model, Target(model)?.provider == provider else {
            throw InputError(
                "the line names no model (give lines without one a model of provider \(InvalidText.quoted(provider)), such as \(provider)/NAME)",
                kind: .badData)
        }
    }
}
