/// A tag of a template.
struct TemplateTag: Equatable {
    /// What it does.
    enum Kind: Equatable {
        /// `{{name}}`
        case variable
        /// `{{#name}}`
        case section
        /// `{{^name}}`
        case inverted
        /// `{{/name}}`
        case close
    }

    var kind: Kind
    /// What it names, as it is written: `.`, `.field`, or a path.
    var name: String
    /// From 1.
    var line: Int
}
