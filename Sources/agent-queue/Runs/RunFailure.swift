import JobModel

/// What is said of a run that brought nothing.
enum RunFailure {
    /// There is no such run.
    static func notFound(_ id: Int64) -> CommandFailure {
        CommandFailure(.badInput, "there is no run \(id); 'agent-queue runs' shows what there is")
    }

    /// - Throws: For a run that ended without an output, exit code 1.
    static func check(_ run: RunSummary) throws {
        guard run.state != .completed else { return }
        guard run.state != .cancelled else { throw CommandFailure(.jobFailed, "run \(run.id) was cancelled") }
        throw CommandFailure(.jobFailed, "run \(run.id) has \(run.state.rawValue)\(run.reason.map { ": \($0)" } ?? "")")
    }
}
