/// Who answers, for the cache key: the same text for jobs enqueued by any process of one configuration, and for the provider that
/// answers them.
public enum ProviderIdentity {
    /// A provider's kind and where it is, in one spelling, without a password or query.
    /// - Parameter baseURL: nil where the kind alone says it.
    public static func of(kind: String, baseURL: String?) -> String {
        baseURL.map { "\(kind) \(BaseURL($0).shown)" } ?? kind
    }
}
