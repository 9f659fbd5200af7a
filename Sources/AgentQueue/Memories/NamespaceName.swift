import Settings

/// The names of namespaces.
public enum NamespaceName {
    /// Where memories go that name none.
    public static let usual = "default"

    /// Checks a name: 1 to 128 characters, no control character, no comma, since commas stand between the names of several.
    /// - Throws: `InputError` (`usage`).
    public static func check(_ name: String) throws(InputError) {
        guard !TextSize.isBlank(name) else { throw InputError("a namespace needs a name", exit: .usage) }
        guard name.unicodeScalars.count <= MemoryLimits.maxNamespaceLength else {
            let quoted = InvalidText.quoted(name)
            throw InputError("the namespace's name \(quoted) is longer than \(MemoryLimits.maxNamespaceLength) characters", exit: .usage)
        }
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: false
            default: scalar != ","
            }
        }
        guard isPlain else {
            throw InputError("the namespace's name \(InvalidText.quoted(name)) cannot hold commas or control characters", exit: .usage)
        }
    }
}
