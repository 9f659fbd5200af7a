/// Who answers, for the cache key.
enum ProviderIdentity {
    /// A provider's kind and where it is. The same text for jobs enqueued by any process of one configuration.
    static func of(kind: String, baseURL: String) -> String { "\(kind) \(baseURL)" }
}
