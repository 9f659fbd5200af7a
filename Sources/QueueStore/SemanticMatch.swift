import JobModel

/// A cached answer to a prompt that is near another one.
public struct SemanticMatch: Sendable, Equatable {
    /// The cache key of the request that was answered, 32 bytes.
    public var digest: [UInt8]
    /// The cosine of the two prompts' vectors, at most 1.
    public var score: Double
    /// The answer.
    public var reply: CachedReply

    /// Makes one.
    public init(digest: [UInt8], score: Double, reply: CachedReply) {
        self.digest = digest
        self.score = score
        self.reply = reply
    }

    /// The answer as it is stored of the job that it serves: with `semantic`, which names the entry by the first twelve digits of its
    /// digest and tells the score. An answer that is no JSON object stays as it is.
    public var shownReply: String {
        guard let members = try? JSONValue.parse(reply.reply).members else { return reply.reply }
        let entry = digest.prefix(6).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let semantic = JSONValue.object([.init("entry", .string(entry)), .init("score", .double((score * 10_000).rounded() / 10_000))])
        return JSONValue.object(members.filter { $0.key != "semantic" } + [.init("semantic", semantic)]).text
    }
}
