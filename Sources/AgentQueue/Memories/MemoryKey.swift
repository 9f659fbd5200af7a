/// The keys of a memory's line of JSON.
enum MemoryKey: String, CaseIterable {
    case text
    case key
    case metadata
    case importance
    case ttl
    case createdAt = "created_at"
    case expiresAt = "expires_at"
    case vector
    case namespace
    case model
    case passagePrefix = "passage_prefix"
    case recalledAt = "recalled_at"
    // Of an export: what a memory is called there says nothing here.
    case id

    /// By name; a switch over strings would compare with one after another.
    static let named: [String: MemoryKey] = Dictionary(uniqueKeysWithValues: allCases.map { ($0.rawValue, $0) })
}
