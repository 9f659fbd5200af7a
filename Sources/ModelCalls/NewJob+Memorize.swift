import JobModel

extension NewJob {
    /// A job that remembers texts. No other job's answer is its own, since each must be stored: it has no flight, and the cache does not
    /// answer it. The vectors of its texts may come from there.
    /// - Parameter identity: who embeds them: the provider's kind and base URL.
    public init(_ order: MemoryOrder, texts: [String], target: Target, identity: String) {
        let (body, digest) = ModelRequest(kind: .memorize, target: target, body: order.body(of: texts)).sealed(identity: identity)
        self.init(kind: .memorize, target: target, body: body, digest: digest)
        inputs = max(1, texts.count)
        useCache = false
    }
}
