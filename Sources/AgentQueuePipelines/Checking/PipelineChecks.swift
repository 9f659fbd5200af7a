import AgentQueueModel

/// What is checked of a pipeline besides its own text. A pipeline from a file is checked against the configuration. A stored definition is
/// not: the run that keeps it has begun, and the configuration may have changed since.
package struct PipelineChecks: Sendable {
    /// Why no call can be made to a target that a pipeline names, in a sentence; nil if one can.
    package var targetFault: @Sendable (_ target: TargetName) -> String?
    /// Whether text that looks like a tag of another template language is a fault where it names a value of this pipeline.
    package var findsForeignTags: Bool

    /// Makes checks.
    package init(findsForeignTags: Bool = true, targetFault: @escaping @Sendable (_ target: TargetName) -> String? = { _ in nil }) {
        self.findsForeignTags = findsForeignTags
        self.targetFault = targetFault
    }

    /// Only the pipeline itself is checked.
    package static let none = PipelineChecks(findsForeignTags: false)
}
