import Crypto
import JobModel

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
    public init(_ job: ClaimedJob) throws {
        self.init(kind: job.kind, target: job.target, body: try JSONValue.parse(job.body))
    }

    /// Members that change nothing about the answer, and so no part of the cache key (protocols: the same request
    /// streamed, tagged or billed otherwise is the same request).
    public static let ignoredByDigest: Set<String> = [
        "stream", "stream_options", "user", "metadata", "safety_identifier", "service_tier", "store", "prompt_cache_key",
        "prompt_cache_options", "prompt_cache_retention",
    ]

    /// The body as stored: canonical JSON.
    public var canonicalBody: String { body.canonicalText }

    /// The cache key: SHA-256 over kind, target, who answers it (`identity`: the provider's kind and base URL) and the
    /// canonical body without what changes nothing about the answer. 32 bytes.
    public func digest(identity: String) -> [UInt8] { sealed(identity: identity).digest }

    /// The canonical body and the cache key, written once for both: requests come by the million.
    public func sealed(identity: String) -> (body: String, digest: [UInt8]) {
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
