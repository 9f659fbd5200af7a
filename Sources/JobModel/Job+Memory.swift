extension Job {
    /// Whether the cache may serve it. What a job with memories in its prompt asks is known only when it runs, and the texts of one that
    /// remembers must be stored: those say it in their requests.
    public var usesCache: Bool {
        switch kind {
        case .generate: useCache || MemoryUse(request).map(\.usesCache) == true
        case .embed: useCache
        case .memorize: MemoryOrder(request).map(\.usesCache) ?? useCache
        }
    }
}
