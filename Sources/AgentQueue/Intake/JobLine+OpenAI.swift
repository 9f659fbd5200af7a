import AgentQueueDialects
import AgentQueueModel
import AgentQueueSettings

/// The endpoints of OpenAI's API whose requests become jobs. Azure, Mistral, Together, GLM and vLLM take files of the same form, with paths
/// of their own.
private enum BatchEndpoint: String, CaseIterable {
    case chat = "/chat/completions"
    case responses = "/responses"
    case embeddings = "/embeddings"
    case completions = "/completions"

    /// The endpoint of a line's `url`: whatever stands before it (`/v1`, `/v4`, a host) is the provider's affair.
    static func of(_ url: String) throws(InputError) -> BatchEndpoint {
        // The path of a chat ends like that of a completion, and is found first.
        if let endpoint = allCases.first(where: { url.hasSuffix($0.rawValue) }) { return endpoint }
        throw InputError(
            "url \(InvalidText.quoted(url)) is not supported (chat/completions, responses, embeddings and completions are)",
            kind: .badData)
    }

    /// The endpoint of a line without a `url`, by its body. Mistral and Together are told it once for the whole file.
    static func of(_ body: [JSONValue.Member]) throws(InputError) -> BatchEndpoint {
        let keys = Set(body.map(\.key))
        if keys.contains("messages") { return .chat }
        if keys.contains("prompt") { return .completions }
        guard keys.contains("input") else {
            throw InputError("the body needs messages, or the line a url that says what it is", kind: .badData)
        }
        if !keys.isDisjoint(with: ["instructions", "max_output_tokens", "text", "reasoning"]) { return .responses }
        guard body.first(where: { $0.key == "input" })?.value.array != nil else {
            throw InputError("a line with input needs a url (/v1/embeddings or /v1/responses)", kind: .badData)
        }
        return .embeddings
    }
}

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
        let endpoint: BatchEndpoint
        if let url { endpoint = try .of(url) } else { endpoint = try .of(body) }
        line.draft.kind = endpoint == .embeddings ? .embed : .generate
        switch endpoint {
        case .chat, .embeddings: break
        case .responses: body = try Self.chat(ofResponse: body)
        case .completions: body = try Self.chat(ofCompletion: body)
        }
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

    private static func chat(ofResponse body: [JSONValue.Member]) throws(InputError) -> [JSONValue.Member] {
        do throws(RequestError) {
            return try ResponsesTranslation.chat(body)
        } catch {
            throw InputError(error.message, kind: .badData)
        }
    }

    /// A completion as a chat: the prompt becomes the user's message.
    private static func chat(ofCompletion body: [JSONValue.Member]) throws(InputError) -> [JSONValue.Member] {
        var chat: [JSONValue.Member] = []
        for member in body {
            switch member.key {
            case "prompt":
                guard let text = member.value.string else {
                    throw InputError("prompt must be a string: put several prompts, each as a text, on lines of their own", kind: .badData)
                }
                chat.append(.init("messages", [["role": "user", "content": .string(text)]]))
            case "echo" where member.value == false, "best_of" where member.value == 1, "suffix" where member.value == "": break
            case "echo", "best_of", "suffix", "logprobs":
                throw InputError("\(member.key) of a completion has no counterpart in a chat: take it out", kind: .badData)
            default: chat.append(member)
            }
        }
        guard chat.contains(where: { $0.key == "messages" }) else { throw InputError("the body needs a prompt", kind: .badData) }
        return chat
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
