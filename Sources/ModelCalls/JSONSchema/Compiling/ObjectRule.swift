import JobModel

/// What is asked of objects.
struct ObjectRule: Sendable {
    var least: Int?
    var most: Int?
    /// What is known of a member by its name.
    var members: [ExactText: Member] = [:]
    /// The members that must be there, in the order of the schema.
    var required: [String] = []
    /// The schemas of members whose names fit a pattern.
    var patterns: [(pattern: SchemaPattern, schema: Int)] = []
    /// The schema of members that neither a name nor a pattern speaks of.
    var rest: Int?
    /// The schema of the names.
    var names: Int?
    /// What must be there if a member is.
    var companions: [(name: String, required: [String])] = []
    /// The schema of the whole object if a member is there.
    var dependents: [(name: String, schema: Int)] = []

    /// What is known of one member.
    struct Member: Sendable {
        var schema: Int?
        /// Its place among the required ones.
        var requiredPlace: Int?
    }

    /// Whether it asks nothing.
    var isEmpty: Bool {
        least == nil && most == nil && members.isEmpty && patterns.isEmpty && rest == nil && names == nil && companions.isEmpty
            && dependents.isEmpty
    }
}
