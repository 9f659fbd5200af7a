/// What one transaction writes of a run: decided from a snapshot outside the transaction, and void if the run has changed since.
package struct RunAdvance: Sendable, Equatable {
    /// The run.
    package var run: Int64
    /// The snapshot's version.
    package var version: Int64
    /// The ends that it was told. Those of calls that could not be made become records of their own.
    package var told: [StepEnd]
    /// The calls that it begins.
    package var begun: [NewStep]
    /// How it ends; nil where it goes on.
    package var end: RunEnd?
    /// Whether it has more to begin than one transaction should add.
    package var isDue: Bool
    /// Calls that are forgotten, by path, so that they can be begun again: a retry's.
    package var forgotten: [String]
    /// Calls whose jobs are given a new life, by path: a retry's.
    package var revived: [String]

    /// Whether it takes up a run again that failed or was cancelled: a retry.
    package var resumes = false

    /// Makes an advance that does nothing.
    package init(run: Int64, version: Int64) {
        self.run = run
        self.version = version
        told = []
        begun = []
        isDue = false
        forgotten = []
        revived = []
    }
}

/// A call that a run begins.
package struct NewStep: Sendable, Equatable {
    /// Its place in the run.
    package var path: String
    /// What makes it.
    package var job: NewJob

    /// Makes one.
    package init(path: String, job: NewJob) {
        self.path = path
        self.job = job
    }
}

/// How a run ends.
package struct RunEnd: Sendable, Equatable {
    /// `completed` or `failed`.
    package var state: RunState
    /// What it brought, where it completed.
    package var output: JSONValue?
    /// Why it failed, in a sentence.
    package var reason: String?

    /// The end of a run that completed.
    package static func completed(_ output: JSONValue) -> RunEnd { RunEnd(state: .completed, output: output) }
    /// The end of a run that failed.
    package static func failed(_ reason: String) -> RunEnd { RunEnd(state: .failed, reason: reason) }

    private init(state: RunState, output: JSONValue? = nil, reason: String? = nil) {
        self.state = state
        self.output = output
        self.reason = reason
    }
}

/// Decides what a run does next: what pipelines say, turned into jobs. The queue's rooms know it only by this.
package protocol RunPlanner: Sendable {
    /// What to write of a run, given all ends that it has not been told: those of the snapshot, and `ended`, which is about to be
    /// settled. Reads outputs of earlier calls where it needs them, and touches nothing.
    /// - Throws: where the run's definition or an output cannot be read.
    func plan(_ run: RunSnapshot, ended: StepEnd?) throws -> RunAdvance
}
