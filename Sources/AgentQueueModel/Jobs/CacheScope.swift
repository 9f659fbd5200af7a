/// Whose cached answers serve a call of the gateway.
package enum CacheScope: String, CaseIterable, Sendable {
    /// All that the cache holds.
    case shared
    /// Those to calls of the same key.
    case own
}
