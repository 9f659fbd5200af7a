import JobModel

/// A place where a template, a condition or a path names something.
struct Reference: Sendable, Equatable {
    /// What it names, from the outermost name on.
    var path: [Expression.Step]
    /// The line of its text, from 1; nil where that has one line alone.
    var line: Int?

    /// The outermost name.
    var root: String {
        if case .member(let name)? = path.first { name } else { "" }
    }

    /// The name after the outermost; nil where the whole is meant, or an element.
    var field: String? {
        if path.count > 1, case .member(let name) = path[1] { name } else { nil }
    }
}
