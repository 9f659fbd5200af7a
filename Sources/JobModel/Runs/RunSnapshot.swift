/// A run, as of one read: all that deciding what comes next needs, but for outputs, which are read when they are asked for.
public struct RunSnapshot: Sendable, Equatable {
    /// Its id.
    public var id: Int64
    /// What was asked for: a pipeline's or a mode's name.
    public var name: String
    /// SHA-256 of the pipeline's definition.
    public var digest: [UInt8]
    /// The pipeline's definition, JSON.
    public var definition: String
    /// What it was started with: an object.
    public var inputs: JSONValue
    /// What holds for all its jobs: an object.
    public var options: JSONValue
    /// How it stands.
    public var state: RunState
    /// Grows with everything that is written of it: what was decided from this snapshot holds only as long as it is the same.
    public var version: Int64
    /// The calls begun so far, by path, as the run knows them.
    public var steps: [String: StepRecord]
    /// Ends of calls that the run has yet to be told.
    public var ends: [StepEnd]

    /// Makes a snapshot.
    public init(
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
