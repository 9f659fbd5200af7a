import ArgumentParser

/// How events are written to standard error.
enum LogFormat: String, ExpressibleByArgument, CaseIterable {
    /// A line for people.
    case text
    /// A JSON object a line.
    case json
}
