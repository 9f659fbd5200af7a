/// What is asked of strings. Lengths are in code points.
struct TextRule: Sendable {
    var least: Int?
    var most: Int?
    var pattern: SchemaPattern?

    /// Whether it asks nothing.
    var isEmpty: Bool { least == nil && most == nil && pattern == nil }
}
