import Crypto

/// What a model is asked: canonical, in the vocabulary of OpenAI's chat completions, which every provider translates
/// into its own.
public struct ModelRequest: Sendable, Hashable {
    /// What it asks.
    public var kind: JobKind
    /// What it is sent to.
    public var target: Target
    /// An object. For `generate`: `messages` (a list of `{role, content}`; a system text is the first message), and any
    /// of `max_tokens`, `temperature`, `top_p`, `stop`, `seed`, `tools`, `response_format` and so on, passed through.
    /// For `embed`: `input`, a list of strings, and `dimensions`, say. `sample` tells several answers to one question
    /// apart; no provider sees it.
    public var body: JSONValue

    /// Makes a request.
    public init(kind: JobKind, target: Target, body: JSONValue) {
        self.kind = kind
        self.target = target
        self.body = body
    }

    /// The request of a claimed job.
    /// - Throws: `JSONError`, if the stored text is damaged.
    package init(_ job: ClaimedJob) throws {
        self.init(kind: job.kind, target: job.target, body: try JSONValue.parse(job.body))
    }

    /// Members that change nothing about the answer, and so no part of the cache key (protocols: the same request
    /// streamed, tagged or billed otherwise is the same request).
    package static let ignoredByDigest: Set<String> = [
        "stream", "stream_options", "user", "metadata", "safety_identifier", "service_tier", "store", "prompt_cache_key",
        "prompt_cache_options", "prompt_cache_retention",
    ]

    /// The body as stored: canonical JSON.
    package var canonicalBody: String { body.canonicalText }

    /// The cache key: SHA-256 over kind, target, who answers it (`identity`: the provider's kind and base URL) and the
    /// canonical body without what changes nothing about the answer. 32 bytes.
    package func digest(identity: String) -> [UInt8] { sealed(identity: identity).digest }

    /// The canonical body and the cache key, written once for both: requests come by the million.
    package func sealed(identity: String) -> (body: String, digest: [UInt8]) {
        let bytes = body.utf8(sorted: true)
        var hash = SHA256()
        for part in ["agent-queue/1", kind.rawValue, target.description, identity] {
            hash.update(data: Array(part.utf8))
            hash.update(data: [0])
        }
        if let members = body.members, members.contains(where: { Self.ignoredByDigest.contains($0.key) }) {
            let kept = JSONValue.object(members.filter { !Self.ignoredByDigest.contains($0.key) })
            hash.update(data: kept.utf8(sorted: true))
        } else {
            hash.update(data: bytes)
        }
        return (String(decoding: bytes, as: UTF8.self), Array(hash.finalize()))
    }
}

/// What is put into a request on its way out, and is no part of its cache key.
extension ModelRequest {
    /// Bounds the answer, where the request does not.
    package mutating func limitOutput(to tokens: Int) {
        guard var members = body.members, !members.contains(where: { ["max_tokens", "max_completion_tokens"].contains($0.key) }) else {
            return
        }
        members.append(.init("max_tokens", .integer(Int64(tokens))))
        body = .object(members)
    }

    /// Goes on with the conversation.
    package mutating func appendMessages(_ messages: [JSONValue]) {
        guard let members = body.members else { return }
        body = .object(
            members.map { member in
                guard member.key == "messages", let earlier = member.value.array else { return member }
                return .init("messages", .array(earlier + messages))
            })
    }
}

/// What the cache by nearness of meaning compares.
extension ModelRequest {
    /// The text of the last message, whose meaning is compared, and the digest of all the rest, which must be the same: target, who
    /// answers, system prompt, earlier messages, parameters and schema.
    ///
    /// Nil where nearness says nothing about the answer: for what is no `generate`, where the last message is not a user's plain text,
    /// where that is blank, and for requests with tools, whose answers act.
    /// - Parameter identity: who answers: the provider's kind and base URL.
    package func semanticParts(identity: String) -> (context: [UInt8], text: String)? {
        guard kind == .generate, let members = body.members, let messages = body["messages"]?.array, let last = messages.last,
            last["role"]?.string == "user", let text = last["content"]?.string, text.contains(where: { !$0.isWhitespace }),
            !members.contains(where: { Self.toolMembers.contains($0.key) })
        else { return nil }
        let asked = (last.members ?? []).map { $0.key == "content" ? JSONValue.Member("content", .null) : $0 }
        let rest = members.filter { !Self.ignoredByDigest.contains($0.key) }.map { member in
            member.key == "messages" ? JSONValue.Member("messages", .array(messages.dropLast() + [.object(asked)])) : member
        }
        var hash = SHA256()
        for part in ["agent-queue/semantic/1", kind.rawValue, target.description, identity] {
            hash.update(data: Array(part.utf8))
            hash.update(data: [0])
        }
        hash.update(data: JSONValue.object(rest).utf8(sorted: true))
        return (Array(hash.finalize()), text)
    }

    private static let toolMembers: Set<String> = ["tools", "tool_choice", "functions", "function_call"]
}

/// `provider/model`: what a job is sent to. The provider is a name from the configuration; the model may hold slashes.
public struct Target: Sendable, Hashable, CustomStringConvertible {
    /// The configured provider's name.
    public let provider: String
    /// The model's name at that provider.
    public let model: String

    /// The longest target accepted, in bytes.
    package static let maxBytes = 256

    /// Reads `provider/model`; nil where a part is missing, too long, or holds blanks or control characters.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.maxBytes, let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let provider = text[..<slash]
        let model = text[text.utf8.index(after: slash)...]
        guard !provider.isEmpty, !model.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        self.provider = String(provider)
        self.model = String(model)
    }

    /// Makes a target of its parts.
    public init(provider: String, model: String) {
        self.provider = provider
        self.model = model
    }

    /// `provider/model`, as it was read.
    public var description: String { "\(provider)/\(model)" }
}
