import Pipelines

/// Pipelines as texts, for tests.
enum Texts {
    /// Every fault of a text, as it is told.
    static func faults(_ yaml: String) -> [String] { Pipeline.check(yaml: yaml, path: "p.yaml").map(\.description) }

    /// A pipeline with an input and one step whose prompt this is.
    static func prompt(_ prompt: String) -> String {
        let lines = prompt.split(separator: "\n", omittingEmptySubsequences: false).map { "      \($0)" }.joined(separator: "\n")
        return "inputs:\n  task: {}\nsteps:\n  a:\n    prompt: |\n\(lines)\n"
    }
}
