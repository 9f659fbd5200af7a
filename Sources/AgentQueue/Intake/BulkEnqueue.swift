import JobModel

/// Adds jobs from JSONL in two passes over the input: ``check(after:skippingInvalid:digest:progress:)`` validates every line before
/// anything is added, ``add(_:after:progress:commit:)`` makes the jobs again, slice by slice. Memory is constant: a few MiB, and a few
/// times the longest line.
public struct BulkEnqueue: Sendable {
    let input: BulkInput
    let line: JobLine

    /// Makes a run.
    /// - Parameters:
    ///   - input: the lines.
    ///   - defaults: what holds where a line says nothing.
    ///   - context: targets, providers and the time, the same for all lines.
    public init(input: BulkInput, defaults: JobDefaults, context: IntakeContext) {
        self.input = input
        line = JobLine(defaults: defaults, context: context)
    }
}
