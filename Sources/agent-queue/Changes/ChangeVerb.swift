import JobModel

/// What a person wishes for jobs.
enum ChangeVerb: String {
    case cancelled
    case retried
    case deleted

    /// What became of a job, as a person reads it.
    func outcome(of state: JobState) -> String {
        switch (self, state) {
        case (.cancelled, .running): "running; its worker was told to stop"
        case (.retried, _): "retried, \(state.rawValue)"
        default: rawValue
        }
    }
}
