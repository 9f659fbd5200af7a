import JobModel

/// What is known of a value before there is one, so that a mistyped field is found before anything runs.
indirect enum Shape: Sendable, Equatable {
    /// Nothing.
    case any
    /// A text.
    case text
    /// A number or a truth value.
    case scalar
    /// An object; `isOpen` if it may have fields that are not known.
    case object([String: Shape], isOpen: Bool)
    /// A list of such.
    case list(Shape)

    /// What an input is.
    init(_ kind: PipelineInput.Kind) {
        switch kind {
        case .text: self = .text
        case .integer, .number, .boolean: self = .scalar
        case .list: self = .list(.any)
        case .object: self = .any
        }
    }

    /// The elements of a list.
    var element: Shape {
        if case .list(let element) = self { element } else { .any }
    }
}
