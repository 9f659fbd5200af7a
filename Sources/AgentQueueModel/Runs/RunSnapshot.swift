/// A run as of one read: everything needed to decide what comes next, except for outputs, which are read on demand.
package struct RunSnapshot: Sendable, Equatable {
    package var id: Int64
    /// The name of the pipeline or mode that was asked for.
    package var name: String
    /// SHA-256 of the pipeline's definition.
    package var digest: [UInt8]
    /// The pipeline's definition as JSON.
    package var definition: String
    /// The inputs it was started with, as an object.
    package var inputs: JSONValue
    /// The options of all its jobs.
    package var options: RunOptions
    /// The state of the run.
    package var state: RunState
    /// Increases with every write to the run: what was decided from this snapshot is valid only while the version is unchanged.
    package var version: Int64
    /// The run's records of the calls started so far, by path.
    package var steps: [String: StepRecord]
    /// Ends of calls that the run has not taken note of yet.
    package var ends: [StepEnd]

    package init(
        id: Int64, name: String, digest: [UInt8], definition: String, inputs: JSONValue, options: RunOptions, state: RunState = .running,
        version: Int64 = 1, steps: [String: StepRecord] = [:], ends: [StepEnd] = []
    ) {
        self.id = id
        self.name = name
        self.digest = digest
        self.definition = definition
        self.inputs = inputs
        self.options = options
        self.state = state
        self.version = version
        self.steps = steps
        self.ends = ends
    }
}

extension RunSnapshot {
    /// What to write to a run that has ended when more of its calls end: that they did.
    package func recordingEnds(and ended: StepEnd? = nil) -> RunAdvance {
        var advance = RunAdvance(run: id, version: version)
        advance.told = ends + (ended.map { [$0] } ?? [])
        return advance
    }

    /// What to write to a run that cannot continue.
    /// - Parameter reason: why, in a sentence.
    package func giving(up reason: String) -> RunAdvance {
        var advance = recordingEnds()
        advance.end = .failed(reason)
        return advance
    }
}

/// The state of a run. All but `running` are final.
public enum RunState: String, Sendable, CaseIterable {
    /// Steps are running or waiting.
    case running
    /// The last step succeeded.
    case completed
    /// A step that the run needs has failed.
    case failed
    /// Cancelled by a person.
    case cancelled

    /// Whether the run has ended. Only a retry can change it then.
    public var isFinal: Bool { self != .running }
}

/// The stored record of one call of a step.
package struct StepRecord: Sendable, Equatable {
    /// Its path in the run, such as `refine/2/review[1]`; the same call always has the same path.
    package var path: String
    /// The job that makes the call; nil if the call could not be made.
    package var jobID: Int64?
    /// The state of the call as the run knows it.
    package var state: StepState
    /// Why it failed, if no job can tell.
    package var message: String?

    package init(path: String, jobID: Int64?, state: StepState, message: String? = nil) {
        self.path = path
        self.jobID = jobID
        self.state = state
        self.message = message
    }
}

/// The state of a call of a step as its run knows it.
package enum StepState: String, Sendable {
    /// Its job has not ended, or the run has not taken note of it yet.
    case running
    /// Its job completed.
    case completed
    /// Its job was discarded or cancelled, or could not be created.
    case failed
}

/// The end of one call of a step, as reported to its run.
package struct StepEnd: Sendable, Equatable {
    /// The call's path in the run.
    package var path: String
    /// The job that made the call; nil if the call could not be made.
    package var jobID: Int64?
    /// How the call ended.
    package var outcome: Outcome

    /// How a call ended.
    package enum Outcome: Sendable, Equatable {
        /// With this reply.
        case completed(text: String)
        /// Without a reply, for the reason in this sentence.
        case failed(message: String)
    }

    package init(path: String, jobID: Int64?, outcome: Outcome) {
        self.path = path
        self.jobID = jobID
        self.outcome = outcome
    }
}
