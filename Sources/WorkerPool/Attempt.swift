import ModelCalls

/// What one call for a job came to.
struct Attempt: Sendable {
    /// The answer, checked, or why there is none.
    var outcome: Outcome
    /// From the call's start to its end, in ms.
    var latency: Int64
    /// Whether the answer came, and broke the schema that it was to keep: then the model is told, and no other is asked.
    var isMismatch = false
}
