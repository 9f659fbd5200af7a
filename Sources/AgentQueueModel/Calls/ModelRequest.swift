import Crypto

/// A request to a model. It uses the vocabulary of OpenAI's chat completions, which every provider translates into its own.
public struct ModelRequest: Sendable, Hashable {
    /// What the request asks for.
    public var kind: JobKind
    /// The provider and model it is sent to.
    public var target: Target
    /// The request as a JSON object. For `generate`: `messages` (a list of `{role, content}`; a system text is the first message) and any
    /// of `max_tokens`, `temperature`, `top_p`, `stop`, `seed`, `tools`, `response_format` and so on, passed through. For `embed`:
    /// `input`, a list of strings, and parameters such as `dimensions`. `sample` distinguishes several answers to the same question; it is
    /// not sent to providers.
    public var body: JSONValue
    /// The request as its client wrote it, for a provider that speaks its form; nil if ``body`` is all there is.
    package var native: NativeRequest?
    /// Whether ``body`` says more than ``native`` does.
    package private(set) var isAmended = false

    /// Creates a request. The body is not checked.
    public init(kind: JobKind, target: Target, body: JSONValue) {
        self.kind = kind
        self.target = target
        self.body = body
    }

    /// The request of a claimed job.
    /// - Throws: `JSONError` if the stored text is damaged.
    package init(_ job: ClaimedJob) throws {
        self.init(kind: job.kind, target: job.target, body: try JSONValue.parse(job.body))
        native = job.native
    }
}

/// Additions to an outgoing request that are not part of its cache key.
///
/// They change the canonical body only, so that the request is no longer sent as its client wrote it; unless its form is required: then the
/// canonical form would lose more than the addition brings, and the request is sent as it came.
extension ModelRequest {
    /// Limits the length of the answer, unless the request already does.
    package mutating func limitOutput(to tokens: Int) {
        guard var members = body.members, !members.contains(where: { ["max_tokens", "max_completion_tokens"].contains($0.key) }) else {
            return
        }
        members.append(.init("max_tokens", .integer(Int64(tokens))))
        body = .object(members)
        isAmended = true
    }

    /// Continues the conversation.
    package mutating func appendMessages(_ messages: [JSONValue]) {
        guard let members = body.members else { return }
        body = .object(
            members.map { member in
                guard member.key == "messages", let earlier = member.value.array else { return member }
                return .init("messages", .array(earlier + messages))
            })
        isAmended = true
    }
}

extension ModelRequest {
    /// The request as its client wrote it, if a provider of this form is to be sent that.
    package func native(for form: RequestForm) -> NativeRequest? {
        guard let native, native.form == form, !isAmended || native.isRequired else { return nil }
        return native
    }
}

/// What the semantic cache compares.
extension ModelRequest {
    /// The text of the last message, which is compared by meaning, and the digest of everything that must be identical: target, who
    /// answers, system prompt, earlier messages, parameters and schema.
    ///
    /// Nil if similar meaning says nothing about the answer: for any kind other than `generate`, if the last message is not a user's plain
    /// text or is blank, and for requests with tools, whose answers trigger actions.
    /// - Parameter identity: who answers: the provider's kind and base URL.
    package func semanticParts(identity: String) -> (context: [UInt8], text: String)? {
        guard kind == .generate, let members = body.members, let messages = body["messages"]?.array, let last = messages.last,
            last["role"]?.string == "user", let text = last["content"]?.string, text.contains(where: { !$0.isWhitespace }),
            !members.contains(where: { Self.toolMembers.contains($0.key) })
        else { return nil }
        let asked = (last.members ?? []).map { $0.key == "content" ? JSONValue.Member("content", .null) : $0 }
        let rest = members.map { member in
            member.key == "messages" ? JSONValue.Member("messages", .array(messages.dropLast() + [.object(asked)])) : member
        }
        var writer = RequestWriter(prefix: ["agent-queue/semantic/1", kind.rawValue, target.description, identity])
        writer.write(body: .object(rest))
        return (Array(SHA256.hash(data: writer.digested)), text)
    }

    private static let toolMembers: Set<String> = ["tools", "tool_choice", "functions", "function_call"]
}

/// What a job is sent to, written `provider/model`. The provider is a name from the configuration; the model may contain slashes.
public struct Target: Sendable, Hashable, CustomStringConvertible {
    /// The provider's name in the configuration.
    public let provider: String
    /// The model's name at the provider.
    public let model: String

    /// The longest target accepted, in bytes.
    package static let maxBytes = 256

    /// Parses `provider/model`. The result is nil if a part is missing, or if the text is too long or contains blanks or control
    /// characters.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.maxBytes, let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let provider = text[..<slash]
        let model = text[text.utf8.index(after: slash)...]
        guard !provider.isEmpty, !model.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        self.provider = String(provider)
        self.model = String(model)
    }

    /// Creates a target from its parts, which are not checked.
    public init(provider: String, model: String) {
        self.provider = provider
        self.model = model
    }

    /// The target as text, `provider/model`.
    public var description: String { "\(provider)/\(model)" }
}
