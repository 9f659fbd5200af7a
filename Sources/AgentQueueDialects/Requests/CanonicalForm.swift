import AgentQueueModel

/// A request on its way to the canonical form, and what that form, or the target, has no words for.
struct CanonicalForm {
    /// What becomes of what there are no words for.
    enum Mode {
        case refuse
        /// Members are left out and named; content is refused.
        case drop
        /// It is left out: the target is sent the request itself.
        case keep
    }

    /// The members of a `ModelRequest`'s body.
    private(set) var members: [JSONValue.Member]
    /// What was left out, by the client's names.
    private(set) var dropped: [String] = []
    /// Whether the canonical form gives the request back.
    private(set) var isExact = true
    /// Whether any provider of another form can be asked the same.
    private(set) var hasCounterpart = true
    private let form: RequestForm
    private let mode: Mode

    /// Members that are not for the model, whatever the form.
    private static let transport: Set<String> = ["model", "stream", "stream_options"]
    /// Members that have a meaning of their own in the queue's requests, which no client's has.
    private static let own: Set<String> = ["sample", "recall", "remember", "memory"]

    /// A chat's names for what a message's request calls otherwise: beside that they would stand there twice.
    private static let ofChat: Set<String> = ["stop", "response_format"]

    init(_ body: JSONValue, _ form: RequestForm, _ mode: Mode) throws(RequestError) {
        self.form = form
        self.mode = mode
        members = []
        var said: [JSONValue.Member] = []
        for member in body.given where !Self.transport.contains(member.key) && !(form == .chat && member.key == "n") {
            if Self.own.contains(member.key) || member.key == "n" || (form == .messages && Self.ofChat.contains(member.key)) {
                try leaveOut(member.key)
            } else {
                said.append(member)
            }
        }
        switch form {
        case .chat: members = said
        case .embeddings: members = EmbeddingsCheck.canonical(said, try EmbeddingsCheck.inputs(body))
        case .messages: take(messages: said, body)
        case .responses: try take(response: said)
        }
    }

    private mutating func leaveOut(_ name: String) throws(RequestError) {
        isExact = false
        switch mode {
        case .refuse:
            throw RequestError(
                "\(InvalidText.quoted(name)) means nothing to this target: leave it out", code: "unsupported_parameter", param: name)
        case .drop: dropped.append(name)
        case .keep: break
        }
    }

    private mutating func take(messages said: [JSONValue.Member], _ body: JSONValue) {
        // It only says for whom the client asks, and OpenAI takes none with what is not kept.
        let said = said.filter { $0.key != "metadata" }
        let translation = MessagesTranslation(said)
        members = translation.canonical
        isExact = isExact && JSONValue.object(MessagesTranslation.request(of: members)).isSame(as: .object(said))
        guard mode != .keep else {
            hasCounterpart = Self.chatRefusal(members) == nil
            return
        }
        dropped += translation.hints
        if Self.marksCache(body) { dropped.append("cache_control") }
    }

    /// Whether anything is marked for the prompt cache, which other providers do not know.
    private static func marksCache(_ body: JSONValue) -> Bool {
        let content = (body["messages"]?.array ?? []).lazy.flatMap { $0["content"]?.array ?? [] }
        return body.isMarked || (body["system"]?.array ?? []).contains(where: \.isMarked)
            || (body["tools"]?.array ?? []).contains(where: \.isMarked) || content.contains(where: \.isMarked)
    }

    private mutating func take(response said: [JSONValue.Member]) throws(RequestError) {
        let loss: ResponsesTranslation.Loss =
            switch mode {
            case .refuse: .refused
            case .drop: .dropped
            case .keep: .noted
            }
        var translation = ResponsesTranslation(loss)
        members = try translation.chat(said)
        isExact = isExact && translation.isExact
        hasCounterpart = translation.lost.isEmpty
        if mode == .drop { dropped += translation.lost }
    }
}

/// What other forms have no words for.
extension CanonicalForm {
    /// Makes sure that a provider of another form can be asked, before there is a job.
    /// - Parameters:
    ///   - target: nil if the provider speaks no form; it then takes what a chat can say, unless ``own`` refuses it.
    ///   - own: why a provider that speaks no form cannot be asked what members say; nil if it can.
    /// - Throws: `RequestError` with the member that it cannot be asked for.
    mutating func fit(
        _ target: RequestForm?, _ own: (([JSONValue.Member]) -> ModelFailure?)? = nil
    ) throws(RequestError) {
        guard form != .embeddings else {
            guard target == .messages || own != nil else { return }
            throw RequestError("this provider has no embeddings: name an embedding model of another", param: "model")
        }
        if form == .chat, own == nil, target != .messages, target != .responses { return }
        if target == .messages { members.removeAll { Self.ofOpenAIAlone.contains($0.key) } }
        let refusal: ([JSONValue.Member]) -> ModelFailure? =
            switch target {
            case .messages: Self.messagesRefusal
            case .responses: Self.responsesRefusal
            default: own ?? Self.chatRefusal
            }
        while let failure = refusal(members) {
            let guilty = members.first { refusal([$0]) != nil && $0.key != "messages" }
            let name = guilty.map { self.name(of: $0.key) }
            guard let guilty, let name, mode == .drop else {
                throw RequestError(failure.message, code: "unsupported_parameter", param: name ?? self.name(of: "messages"))
            }
            isExact = false
            leaveOut(guilty, name, refusal)
        }
    }

    /// Members of OpenAI's that change no answer, and that Anthropic refuses: whose the request is, how it is billed and kept.
    private static let ofOpenAIAlone: Set<String> = ["metadata", "service_tier", "store"]

    /// Leaves out a member, or of the tools those that the target cannot be asked for.
    private mutating func leaveOut(_ guilty: JSONValue.Member, _ name: String, _ refusal: ([JSONValue.Member]) -> ModelFailure?) {
        members.removeAll { $0.key == guilty.key }
        let tools = guilty.key == "tools" ? guilty.value.array ?? [] : []
        let refused = tools.indices.filter { refusal([.init("tools", [tools[$0]])]) != nil }
        guard !refused.isEmpty else { return dropped.append(name) }
        dropped += refused.map { "tools[\($0)]" }
        let kept = tools.indices.filter { !refused.contains($0) }.map { tools[$0] }
        guard kept.isEmpty else { return members.append(.init("tools", .array(kept))) }
        members.removeAll { $0.key == "tool_choice" }
    }

    /// A member's name in the client's form.
    private func name(of member: String) -> String {
        switch form {
        case .chat, .embeddings: member
        case .messages: MessagesTranslation.name(of: member)
        case .responses: ResponsesTranslation.name(of: member)
        }
    }

    private static let nobody = Target(provider: "", model: "")

    /// Why members cannot be said in a chat; nil if they can.
    private static func chatRefusal(_ members: [JSONValue.Member]) -> ModelFailure? {
        do throws(ModelFailure) {
            _ = try ChatRequest(ModelRequest(kind: .generate, target: nobody, body: .object(members)))
            return nil
        } catch {
            return error
        }
    }

    /// Why members cannot be said in a response's request; nil if they can.
    private static func responsesRefusal(_ members: [JSONValue.Member]) -> ModelFailure? {
        do throws(ModelFailure) {
            _ = try ResponsesRequest(ChatRequest(ModelRequest(kind: .generate, target: nobody, body: .object(members))))
            return nil
        } catch {
            return error
        }
    }

    /// Why members cannot be said in Anthropic's form; nil if they can.
    private static func messagesRefusal(_ members: [JSONValue.Member]) -> ModelFailure? {
        do throws(ModelFailure) {
            var translation = AnthropicTranslation()
            for member in members { try translation.take(member) }
            _ = try translation.maxTokens(or: 1)
            // A member by itself makes no whole request.
            if members.count > 1 { _ = try translation.body(model: "", maxTokens: 1) }
            return nil
        } catch {
            return error
        }
    }
}

extension JSONValue {
    /// Whether two values are the same, whatever the order of their members.
    fileprivate func isSame(as other: JSONValue) -> Bool { utf8(sorted: true) == other.utf8(sorted: true) }
}
