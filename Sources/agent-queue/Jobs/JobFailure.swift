import JobModel

/// What is said of a job that brought no answer.
enum JobFailure {
    /// There is no such job.
    static func notFound(_ id: Int64) -> CommandFailure {
        CommandFailure(.badInput, "there is no job \(id); 'agent-queue list' shows what there is")
    }

    /// - Throws: For a job that ended without an answer, exit code 1.
    static func check(_ job: Job) throws {
        guard job.state != .completed else { return }
        let reason = job.errors.last.map { ": \($0.message)" } ?? ""
        throw CommandFailure(.jobFailed, "job \(job.id) was \(job.state.rawValue)\(reason)")
    }
}
