/// What a text is embedded for: some models want to be told, by a prefix.
public enum TextPurpose: Sendable, Equatable {
    /// It is remembered, and found by queries.
    case passage
    /// It finds passages.
    case query
}
