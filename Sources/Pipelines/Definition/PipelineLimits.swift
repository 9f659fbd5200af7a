/// The bounds of a pipeline. What is beyond them is refused when it is read.
enum PipelineLimits {
    /// Steps, those of groups among them.
    static let maxSteps = 200
    /// Inputs.
    static let maxInputs = 64
    /// Its text, and its definition, in bytes: 1 MiB.
    static let maxBytes = 1 << 20
    /// A name of a step, an input, a role, a pipeline or a mode, in bytes.
    static let maxNameBytes = 64
    /// How deep groups may nest.
    static let maxDepth = 4
    /// How deep sections of a template may nest.
    static let maxSections = 16
    /// Values in a file, those that aliases repeat counted each time.
    static let maxNodes = 100_000
    /// Calls begun by one decision.
    static let maxCalls = 200
    /// How deep a file's values may nest.
    static let maxNesting = 100
}
