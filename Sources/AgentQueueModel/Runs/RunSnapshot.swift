/// A run, as of one read: all that deciding what comes next needs, but for outputs, which are read when they are asked for.
package struct RunSnapshot: Sendable, Equatable {
    /// Its id.
    package var id: Int64
    /// What was asked for: a pipeline's or a mode's name.
    package var name: String
    /// SHA-256 of the pipeline's definition.
    package var digest: [UInt8]
    /// The pipeline's definition, JSON.
    package var definition: String
    /// What it was started with: an object.
    package var inputs: JSONValue
    /// What holds for all its jobs: an object.
    package var options: JSONValue
    /// How it stands.
    package var state: RunState
    /// Grows with everything that is written of it: what was decided from this snapshot holds only as long as it is the same.
    package var version: Int64
    /// The calls begun so far, by path, as the run knows them.
    package var steps: [String: StepRecord]
    /// Ends of calls that the run has yet to be told.
    package var ends: [StepEnd]

    /// Makes a snapshot.
    package init(
        id: Int64, name: String, digest: [UInt8], definition: String, inputs: JSONValue, options: JSONValue, state: RunState = .running,
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
    /// What is written of a run that has ended, when calls of it end later: that they did.
    package func recordingEnds(and ended: StepEnd? = nil) -> RunAdvance {
        var advance = RunAdvance(run: id, version: version)
        advance.told = ends + (ended.map { [$0] } ?? [])
        return advance
    }

    /// What is written of a run that cannot go on.
    /// - Parameter reason: why, in a sentence.
    package func giving(up reason: String) -> RunAdvance {
        var advance = recordingEnds()
        advance.end = .failed(reason)
        return advance
    }
}

/// How a run stands. All but `running` are final.
public enum RunState: String, Sendable, CaseIterable {
    /// Steps of it run, or wait to.
    case running
    /// Its last step has ended well.
    case completed
    /// A step failed that it cannot do without.
    case failed
    /// Somebody cancelled it.
    case cancelled

    /// Whether nothing more happens to it, unless somebody retries it.
    public var isFinal: Bool { self != .running }
}

/// One call of a step, as it is on record.
package struct StepRecord: Sendable, Equatable {
    /// Its place in the run, such as `refine/2/review[1]`: the same call always has the same path.
    package var path: String
    /// What makes it; nil where the call could not be made.
    package var jobID: Int64?
    /// What the run knows of it.
    package var state: StepState
    /// Why it failed, where no job of it can say.
    package var message: String?

    /// Makes a record.
    package init(path: String, jobID: Int64?, state: StepState, message: String? = nil) {
        self.path = path
        self.jobID = jobID
        self.state = state
        self.message = message
    }
}

/// What a run knows of one call of a step.
package enum StepState: String, Sendable {
    /// Its job has not ended, or the run was not told yet.
    case running
    /// Its job completed.
    case completed
    /// Its job was discarded or cancelled, or could not be made.
    case failed
}

/// The end of one call of a step, as it is told to its run.
package struct StepEnd: Sendable, Equatable {
    /// The call's place in the run.
    package var path: String
    /// The job that made it; nil where it could not be made.
    package var jobID: Int64?
    /// What came of it.
    package var outcome: Outcome

    /// What came of a call.
    package enum Outcome: Sendable, Equatable {
        /// The reply's text.
        case completed(text: String)
        /// Why there is none, in a sentence.
        case failed(message: String)
    }

    /// Makes an end.
    package init(path: String, jobID: Int64?, outcome: Outcome) {
        self.path = path
        self.jobID = jobID
        self.outcome = outcome
    }
}
