/// What one transaction writes to a run. It is decided from a snapshot outside the transaction and is void if the run has changed since.
package struct RunAdvance: Sendable, Equatable {
    package var run: Int64
    /// The snapshot's version.
    package var version: Int64
    /// The ends of calls that the run takes note of. Calls that could not be made get records of their own.
    package var told: [StepEnd]
    /// The calls it starts.
    package var begun: [NewStep]
    /// How the run ends; nil if it continues.
    package var end: RunEnd?
    /// Whether there is more to start than one transaction should add.
    package var isDue: Bool
    /// Calls, by path, whose records a retry removes so that they can start again.
    package var forgotten: [String]
    /// Calls, by path, whose jobs a retry revives.
    package var revived: [String]

    /// Whether it resumes a failed or cancelled run: a retry.
    package var resumes = false

    /// An advance that changes nothing.
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

package struct NewStep: Sendable, Equatable {
    /// Its path in the run.
    package var path: String
    /// The job that makes the call.
    package var job: NewJob

    package init(path: String, job: NewJob) {
        self.path = path
        self.job = job
    }
}

/// How a run ends.
package struct RunEnd: Sendable, Equatable {
    /// `completed` or `failed`.
    package var state: RunState
    /// The output of a completed run.
    package var output: JSONValue?
    /// Why it failed, in a sentence.
    package var reason: String?

    /// The end of a completed run.
    package static func completed(_ output: JSONValue) -> RunEnd { RunEnd(state: .completed, output: output) }
    /// The end of a failed run.
    package static func failed(_ reason: String) -> RunEnd { RunEnd(state: .failed, reason: reason) }

    private init(state: RunState, output: JSONValue? = nil, reason: String? = nil) {
        self.state = state
        self.output = output
        self.reason = reason
    }
}

/// Decides what a run does next by turning pipelines into jobs. It is all that the queue's other modules know of pipelines.
package protocol RunPlanner: Sendable {
    /// Decides what to write to a run, given all ends that the run has not taken note of: those in the snapshot, and `ended`, which is
    /// about to be settled. It reads outputs of earlier calls if it needs them and changes nothing.
    /// - Throws: if the run's definition or an output cannot be read.
    func plan(_ run: RunSnapshot, ended: StepEnd?) throws -> RunAdvance
}
