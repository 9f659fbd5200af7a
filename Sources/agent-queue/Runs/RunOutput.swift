import JobModel

/// What a run or a step of it brought, as it is printed.
enum RunOutput {
    /// A text as it is, but fit for a terminal; anything else as JSON.
    static func lines(_ value: JSONValue) -> [String] {
        value.string.map { [DisplayText.lines($0)] } ?? [JSONText.text(value)]
    }
}
